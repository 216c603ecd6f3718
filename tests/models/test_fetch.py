"""Files behind URLs and inside wheels."""

import http.server
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.models.cards import Card
from phonoscope.models.fetch import FetchError, InWheel, installed, opened
from phonoscope.models.weights import weights, where

letters = "ABCxyz019"
name = st.builds(str.__add__, st.sampled_from(letters), st.text(letters + "._-", max_size=8))


@given(name, name, st.lists(name, min_size=1, max_size=4))
def test_a_wheel_source_reads_back_as_it_was_written(project: str, version: str, parts: list[str]) -> None:
    path = "/".join(parts)
    assert InWheel.parse(f"wheel:{project}=={version}/{path}") == InWheel(project, version, path)


@pytest.mark.parametrize("source", ["https://localhost/a==1/b", "wheel:toy/b", "wheel:toy==1", "wheel:--toy==1/b", ""])
def test_other_sources_are_no_wheel(source: str) -> None:
    assert InWheel.parse(source) is None
    assert installed(source) is None


def read(source: str) -> bytes:
    with opened(source) as file:
        return file.read()


def test_pip_fetches_a_wheel_and_one_file_is_taken_out_of_it(bare: Path, toy_wheel: Callable[..., str]) -> None:
    assert read(toy_wheel(bare / "wheels", b"toy")) == b"toy"


def test_a_wheel_without_the_file_says_so(bare: Path, toy_wheel: Callable[..., str]) -> None:
    toy_wheel(bare / "wheels", b"toy")
    with pytest.raises(FetchError, match=r"holds no readable toy_weights/other\.bin"):
        read("wheel:toy-weights==1.0/toy_weights/other.bin")


def test_a_broken_wheel_says_so(bare: Path) -> None:
    (bare / "wheels" / "toy_weights-1.0-py3-none-any.whl").write_bytes(b"no zip")
    with pytest.raises(FetchError, match=r"toy.weights"):
        read("wheel:toy-weights==1.0/toy_weights/toy.bin")


def test_a_version_that_no_index_has_is_named_in_the_reason(bare: Path, toy_wheel: Callable[..., str]) -> None:
    toy_wheel(bare / "wheels", b"toy")
    with pytest.raises(FetchError, match=r"No matching distribution found for toy-weights==2\.0"):
        read("wheel:toy-weights==2.0/toy_weights/toy.bin")


def test_an_index_that_does_not_answer_is_told_from_one_without_the_file(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://localhost:1/simple")
    with pytest.raises(FetchError, match="its index does not answer"):
        read("wheel:toy-weights==1.0/toy_weights/toy.bin")


def test_an_environment_without_pip_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(FetchError, match=r"pip is not installed.*ensurepip"):
        read("wheel:toy-weights==1.0/toy_weights/toy.bin")


def test_an_installed_project_gives_its_file_and_nothing_is_fetched(
    bare: Path, toy_card: Callable[..., Card], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = bare / "site"
    (site / "toy_weights").mkdir(parents=True)
    (site / "toy_weights" / "toy.bin").write_bytes(b"toy")
    (site / "toy_weights-2.0.dist-info").mkdir()
    (site / "toy_weights-2.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: toy-weights\nVersion: 2.0\n"
    )
    monkeypatch.syspath_prepend(str(site))
    card = toy_card(b"toy", "wheel:toy-weights==1.0/toy_weights/toy.bin")
    assert weights(card, say=pytest.fail) == site / "toy_weights" / "toy.bin"
    assert where(card) == f"package {site / 'toy_weights' / 'toy.bin'}"
    assert where(toy_card(b"other bytes", *card.sources)) is None


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An https server on this machine for the folder `tmp_path/www`, with a certificate that is trusted here."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl is not installed, so no certificate can be made")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "www").mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path / "www"))  # type: ignore[arg-type]

        def log_message(self, format: str, *args: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.HTTPServer(("localhost", 0), Quiet) as served:
        served.socket = context.wrap_socket(served.socket, server_side=True)
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        yield f"https://localhost:{served.server_port}"
        served.shutdown()
        thread.join()


def test_a_file_behind_a_url_is_fetched(bare: Path, server: str, toy_card: Callable[..., Card]) -> None:
    (bare / "www" / "toy.bin").write_bytes(b"toy")
    found = weights(toy_card(b"toy", f"{server}/absent.bin", f"{server}/toy.bin"), say=lambda _: None)
    assert found.read_bytes() == b"toy"
    assert found.suffix == ".bin"


def test_the_answer_of_a_server_is_the_reason(server: str) -> None:
    with pytest.raises(FetchError, match="File not found"):
        read(f"{server}/absent.bin")


def test_plain_http_is_no_source() -> None:
    with pytest.raises(FetchError, match="neither https"):
        read("http://localhost/toy.bin")
