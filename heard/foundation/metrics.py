"""Everything Heard counts about itself, declared in one place.

Each process counts for itself and shows what it counted: ``exposition`` is what the web process serves
under ``/metrics``, and ``serve`` opens a small port on this machine for a worker or stream process.
Prometheus adds them up; a shared directory of counters would have to be cleaned after every crash.
Labels are networks, job names, routes (never paths) and outcomes, so that their number stays small.
"""

from __future__ import annotations

from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
    start_http_server,
)

# Own registry: libraries that register themselves globally do not show up in an operator's graphs.
REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_JOB_SECONDS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)
_LAG_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)

DELIVERIES_RECEIVED = Counter(
    "heard_deliveries_received_total",
    "Raw deliveries stored, by the way they came (webhook, poll, stream, context, echo).",
    ("network", "source"),
    registry=REGISTRY,
)
DELIVERIES_INGESTED = Counter(
    "heard_deliveries_ingested_total", "Deliveries understood.", ("network",), registry=REGISTRY
)
DELIVERIES_UNREADABLE = Counter(
    "heard_deliveries_unreadable_total",
    "Deliveries kept because we could not read them; replay them after a fix.",
    ("network",),
    registry=REGISTRY,
)
DELIVERIES_FORGED = Counter(
    "heard_deliveries_forged_total",
    "Pushed deliveries refused for their signature.",
    ("network",),
    registry=REGISTRY,
)
MESSAGES = Counter("heard_messages_total", "New messages stored.", ("network",), registry=REGISTRY)
INGEST_LAG_SECONDS = Histogram(
    "heard_ingest_lag_seconds",
    "From a delivery's arrival to its messages being in the inbox.",
    ("network",),
    buckets=_LAG_SECONDS,
    registry=REGISTRY,
)
SENDS = Counter(
    "heard_sends_total",
    "Attempts to send, by what became of them (sent, rejected, unknown, put_off…).",
    ("network", "outcome"),
    registry=REGISTRY,
)
SEND_SECONDS = Histogram(
    "heard_send_seconds",
    "Time the network took to accept or refuse.",
    ("network",),
    buckets=_REQUEST_SECONDS,
    registry=REGISTRY,
)
EXCHANGES = Counter(
    "heard_exchanges_total",
    "Requests to networks by status; 0 where no answer came.",
    ("network", "status"),
    registry=REGISTRY,
)
DELIVERIES_WAITING = Gauge(
    "heard_deliveries_waiting", "Deliveries of the installation not understood yet.", registry=REGISTRY
)
DELIVERIES_WAITING_SECONDS = Gauge(
    "heard_deliveries_waiting_seconds", "Age of the oldest delivery not understood yet.", registry=REGISTRY
)
OUTBOUNDS = Gauge(
    "heard_outbounds",
    "What has not left yet, or may have left, by state (waiting, held, sending, unknown, asked).",
    ("state",),
    registry=REGISTRY,
)
DATABASE_UP = Gauge("heard_database_up", "1 when the databases answered this scrape.", registry=REGISTRY)
JOB_SECONDS = Histogram(
    "heard_job_seconds", "Time of one slice of a job.", ("job",), buckets=_JOB_SECONDS, registry=REGISTRY
)
JOB_FAILURES = Counter(
    "heard_job_failures_total", "Slices of a job that ended in an error.", ("job",), registry=REGISTRY
)
HTTP_REQUESTS = Counter(
    "heard_http_requests_total",
    "Requests answered, by route and status.",
    ("method", "route", "status"),
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "heard_http_seconds", "Time to an answer.", ("route",), buckets=_REQUEST_SECONDS, registry=REGISTRY
)
SSE_CONNECTIONS = Gauge("heard_sse_connections", "Live pages connected to this process.", registry=REGISTRY)
STREAMS_OPEN = Gauge(
    "heard_streams_open", "Streams to networks held by this process.", ("network",), registry=REGISTRY
)
JOURNAL_SEALED_POSITION = Gauge(
    "heard_journal_sealed_position",
    "Last sealed position of the journal.",
    ("organization",),
    registry=REGISTRY,
)
JOURNAL_UNSEALED = Gauge("heard_journal_unsealed_facts", "Facts that wait for their seal.", registry=REGISTRY)
JOURNAL_UNSEALED_SECONDS = Gauge(
    "heard_journal_unsealed_seconds", "Age of the oldest fact that waits for its seal.", registry=REGISTRY
)


def exposition() -> tuple[bytes, str]:
    """This process's numbers in Prometheus text, and the content type to serve them with."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


def serve(port: int, address: str = "127.0.0.1") -> WSGIServer:
    """Serve ``exposition`` from a thread, for processes that answer no requests themselves.

    Returns the server, to be closed by ``shutdown`` and ``server_close``; raises ``OSError`` when the
    port is taken. Port 0 takes any.
    """
    server, _ = start_http_server(port, addr=address, registry=REGISTRY)
    return server
