"""What the operator's Prometheus sees."""

import re
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from heard.foundation import metrics


def shown() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    body, content_type = metrics.exposition()
    assert content_type.startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_what_is_counted_is_shown():
    name = ("heard_sends_total", (("network", "sandbox"), ("outcome", "sent")))
    before = shown().get(name, 0)
    metrics.SENDS.labels(network="sandbox", outcome="sent").inc()
    assert shown()[name] == before + 1


def test_every_metric_has_a_name_of_ours_a_unit_and_a_sentence():
    ours = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    assert len(ours) > 15
    for metric in ours:
        (family,) = metric.describe()
        assert family.name.startswith("heard_")
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith("_seconds")


def test_labels_are_few_kinds_and_never_a_person_or_a_text():
    # "state" is the short list of states an outbound can be in.
    allowed = {"network", "source", "outcome", "status", "state", "job", "method", "route", "organization"}
    for value in vars(metrics).values():
        if isinstance(value, MetricWrapperBase):
            assert set(value._labelnames) <= allowed


def test_a_process_without_pages_serves_its_own_numbers():
    server = metrics.serve(0)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=5) as answer:
            assert b"heard_messages_total" in answer.read()
        with pytest.raises(OSError, match="in use"):
            metrics.serve(server.server_port)
    finally:
        server.shutdown()
        server.server_close()


def test_whatever_is_declared_is_counted_somewhere():
    """An operator's alarm on a number that never moves would never ring."""
    own = Path(metrics.__file__)
    home = own.parents[1]
    names = re.findall(r"^([A-Z_]+) = (?:Counter|Gauge|Histogram)", own.read_text(), re.MULTILINE)
    others = [path for path in home.rglob("*.py") if path != own and "tests" not in path.parts]
    used = set(re.findall(r"metrics\.([A-Z_]+)\b", "\n".join(path.read_text() for path in others)))
    assert len(names) > 15
    assert [name for name in names if name not in used] == []
