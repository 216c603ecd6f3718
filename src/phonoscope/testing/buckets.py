"""A bucket to test with: moto's S3 server on this machine, behind a proxy that counts requests and makes trouble."""

import http.client
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, cast

KEYS = {"AWS_ACCESS_KEY_ID": "puppet", "AWS_SECRET_ACCESS_KEY": "theatre", "AWS_DEFAULT_REGION": "us-east-1"}
BUCKET = "phonoscope"
HANG_S = 1.5  # longer than who waits is told to wait

Kind = Literal["500", "503", "hang", "slow", "broken", "wrong", "lost"]


@dataclass(slots=True)
class Trouble:
    """What shall go wrong: answers of the server's own, or what becomes of an answer on its way."""

    kind: Kind
    part: str  # of the object's name
    method: str = "GET"
    times: int = 1


@dataclass(slots=True)
class Server:
    """What stands between a client and its bucket."""

    port: int  # where the bucket really is
    url: str = ""
    counts: Counter[str] = field(default_factory=Counter)  # requests by kind: GET, PUT, HEAD, LIST, DELETE
    troubles: list[Trouble] = field(default_factory=list)
    before: Callable[[str, str], object] = lambda method, path: None  # is told of each request before it is passed on

    def due(self, method: str, path: str) -> str:
        """What shall go wrong with a request."""
        for trouble in self.troubles:
            if trouble.times and trouble.method == method and trouble.part in path:
                trouble.times -= 1
                return trouble.kind
        return ""


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def pass_on(self) -> None:
        """One request, to the bucket and back."""
        house = cast("_Doors", self.server).house
        method, (path, _, query) = self.command, self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        house.counts["LIST" if "list-type" in query else "DELETE" if method == "POST" else method] += 1
        house.before(method, path)
        kind = house.due(method, path)
        if kind == "hang":
            time.sleep(HANG_S)
        if kind in ("500", "503", "hang"):
            code = "SlowDown" if kind == "503" else "InternalError"
            self._answer(500 if kind == "500" else 503, {}, f"<Error><Code>{code}</Code></Error>".encode(), kind)
            return
        line = http.client.HTTPConnection("127.0.0.1", house.port)
        line.request(method, self.path, body, dict(self.headers))
        got = line.getresponse()
        content = got.read()
        self._answer(got.status, dict(got.getheaders()), content, kind)
        line.close()

    def _answer(self, status: int, headers: dict[str, str], content: bytes, kind: str) -> None:
        if kind == "lost":
            self.close_connection = True
            return
        if kind == "wrong":
            content = bytes(byte ^ 1 for byte in content)
        self.send_response_only(status)
        length = headers.get("Content-Length", str(len(content))) if self.command == "HEAD" else str(len(content))
        for name, value in {**headers, "Content-Length": length}.items():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        half = len(content) // 2
        self.wfile.write(content[:half])
        if kind == "broken":
            self.close_connection = True
            return
        if kind == "slow":
            self.wfile.flush()
            time.sleep(0.2)
        self.wfile.write(content[half:])

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = pass_on  # noqa: N815 - named by BaseHTTPRequestHandler


class _Doors(ThreadingHTTPServer):
    daemon_threads = True
    house: Server

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, as one does that has waited long enough, is no error."""


@contextmanager
def s3_server() -> Iterator[Server]:
    """A server of an empty bucket, as long as it is needed."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        port = moto.get_host_and_port()[1]
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            region_name=KEYS["AWS_DEFAULT_REGION"],
        )
        client.create_bucket(Bucket=BUCKET)
        client.close()
        with _Doors(("127.0.0.1", 0), _Door) as doors:
            doors.house = Server(port, f"http://127.0.0.1:{doors.server_address[1]}")
            thread = threading.Thread(target=doors.serve_forever, daemon=True)
            thread.start()
            yield doors.house
            doors.shutdown()
            thread.join()
    finally:
        moto.stop()
