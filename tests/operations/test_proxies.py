"""nginx and Caddy with our files: what they pass on, what they keep back, and Heard behind them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BODY = bytes(range(256)) * 400 + b'{"a":  1}\r\n\r\n'


class Mirror(BaseHTTPRequestHandler):
    """Says what reached it; streams slowly under /events."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def do_GET(self):
        if self.path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for number in range(4):
                self.wfile.write(f"data: {number}\n\n".encode())
                self.wfile.flush()
                time.sleep(0.5)
            self.close_connection = True
            return
        self._say(b"")

    def do_POST(self):
        self._say(self.rfile.read(int(self.headers["Content-Length"])))

    def _say(self, body):
        told = {
            "path": self.path,
            "sha256": hashlib.sha256(body).hexdigest(),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }
        answer = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@pytest.fixture
def mirror():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(5)


def visit(front, path, *arguments, data=None):
    command = [shutil.which("curl"), "--silent", "--cacert", str(front.ca), "--max-time", "20", *arguments]
    return subprocess.run([*command, f"{front.url}{path}"], input=data, capture_output=True, check=False)


def curl(front, path, *arguments, data=None):
    done = visit(front, path, *arguments, data=data)
    assert done.returncode == 0, done
    return done.stdout


def test_what_reaches_heard_is_whole_and_true(proxy, mirror):
    claimed = ["-H", "X-Forwarded-For: 198.51.100.7", "-H", "X-Forwarded-Proto: http"]
    with proxy(mirror) as front:
        sent = ["--data-binary", "@-", "-H", "Content-Type: application/octet-stream", *claimed]
        told = json.loads(curl(front, "/hooks/abc?x=%2F", *sent, data=BODY))
        assert told["sha256"] == hashlib.sha256(BODY).hexdigest()
        assert told["path"] == "/hooks/abc?x=%2F"
        assert told["headers"]["x-forwarded-for"] in {"127.0.0.1", "::1"}
        assert told["headers"]["x-forwarded-proto"] == "https"
        assert told["headers"]["host"].split(":")[0] == "localhost"
        status = ["-o", "/dev/null", "-w", "%{http_code} %{http_version}"]
        assert curl(front, "/inbox/", *status) == b"200 2"
        assert curl(front, "/metrics", *status) == b"404 2"
        large = ["--data-binary", "@-", "-H", "Expect:"]
        assert curl(front, "/files", *status, *large, data=bytes(54_000_000)) == b"200 2"
        refused = visit(front, "/hooks/abc", *status, *large, data=bytes(6_000_000))
        assert refused.stdout.startswith(b"413")


def test_a_live_stream_is_not_kept_back(proxy, mirror):
    with proxy(mirror) as front:
        command = [shutil.which("curl"), "-sN", "--cacert", str(front.ca), "--max-time", "20"]
        with subprocess.Popen([*command, f"{front.url}/events"], stdout=subprocess.PIPE) as process:
            came = [(time.monotonic(), line) for line in process.stdout if line.strip()]
        assert process.returncode == 0
    assert [line for _, line in came] == [f"data: {number}\n".encode() for number in range(4)]
    assert came[-1][0] - came[0][0] > 1.0, "all lines came at once: the proxy keeps them back"
