"""A server of films on this machine that answers as real ones do: well, not at all, late, and with lies."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phonoscope.data.fetch import site
from phonoscope.data.fetch.params import FetchParams
from phonoscope.data.fetch.polite import Manners
from phonoscope.data.fetch.site import SiteParams
from phonoscope.media.encode import write_film


@dataclass
class Web:
    """What the server serves: `/<behaviour>/<anything>.mp4`."""

    film: bytes
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)  # GETs by path
    ranges: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)  # whom a proxy is asked for
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # by path: what they are, and what they hold
    hanging: threading.Event = field(default_factory=threading.Event)  # a file has come half

    def __call__(self, behaviour: str, name: str = "film") -> str:
        return f"{self.url}/{behaviour}/{name}.mp4"


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # who asked has hung up
                super().handle()

        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            if self.path.startswith("http:"):  # we are somebody's proxy
                _, _, host, *path = self.path.split("/")
                self.path = "/" + "/".join(path)
                web.hosts.append(host)
            behaviour = self.path.split("/")[1]
            web.asked[self.path] += 1
            web.cookies += self.headers.get_all("Cookie", [])
            if self.path in web.files:
                kind, content = web.files[self.path]
                return self.say(200, content, kind)
            if behaviour.isdigit():
                return self.say(int(behaviour), b"no")
            if behaviour == "refused" and web.asked[self.path] > 1:
                return self.say(403, b"not you")
            if behaviour == "third-time" and web.asked[self.path] < 3:
                return self.say(503, b"busy")
            if behaviour == "once-503" and web.asked[self.path] == 2:
                return self.say(503, b"busy")
            if behaviour == "stall" and web.asked[self.path] > 1:
                time.sleep(1.5)
                self.close_connection = True
                return None
            if behaviour == "hang-once" and web.asked[self.path] == 2:
                self.send_response(200)
                self.send_header("Content-Type", "video/mp4")
                self.send_header("Content-Length", str(len(web.film)))
                self.end_headers()
                self.wfile.write(web.film[: len(web.film) // 2])
                self.wfile.flush()
                web.hanging.set()
                time.sleep(20)
                return None
            if behaviour == "page":
                return self.say(200, b"<html><body>nothing to see</body></html>", kind="text/html")
            if behaviour == "text":
                return self.say(200, b"x" * 5000)
            return self.film(behaviour)

        def film(self, behaviour: str) -> None:
            start, whole = 0, len(web.film)
            wanted = self.headers.get("Range", "")
            if wanted.startswith("bytes="):
                web.ranges.append(wanted)
                start = int(wanted.removeprefix("bytes=").split("-")[0] or 0)
            part = web.film[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Accept-Ranges", "bytes")
            if start:
                self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
            promised = len(part) + (1000 if behaviour == "lies" else 0)
            self.send_header("Content-Length", str(promised))
            self.end_headers()
            cut = (behaviour == "breaks" and web.asked[self.path] <= 3) or behaviour in ("truncated", "lies")
            sent = part[: len(part) // 2] if cut and behaviour != "lies" else part
            if self.command != "HEAD":
                self.wfile.write(sent)
            if cut:
                self.wfile.flush()
                self.close_connection = True

        def say(self, status: int, body: bytes, kind: str = "video/mp4") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


@pytest.fixture(scope="session")
def film_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film of 4 s, 25 frames a second, frame k of grey 2 k, with a tone."""
    path = tmp_path_factory.mktemp("served") / "film.mp4"
    frames = (np.full((64, 96, 3), 2 * k, np.uint8) for k in range(100))
    tone = 0.3 * np.sin(np.arange(64000) * 0.17).astype(np.float32)
    write_film(path, frames, Fraction(25), tone, 16000)
    return path.read_bytes()


@pytest.fixture
def web(film_bytes: bytes) -> Iterator[Web]:
    """The server, while the test runs."""
    served = Web(film_bytes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "films"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> FetchParams:
    """Settings for a server on this machine, which is never waited for."""
    pytest.importorskip("yt_dlp")
    monkeypatch.setattr(site, "_pause", lambda n: 0.0)
    return FetchParams(site=SiteParams(timeout_s=0.5), manners=Manners(per_minute=6000, burst=50, pause_s=0.0))
