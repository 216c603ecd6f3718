"""Where the real clips and the published weights lie, and that nobody skips them unseen."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec.config
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from phonoscope.testing.buckets import Server

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
NO_DATA = "no data"

os.environ.setdefault("PHONOSCOPE_HOME", str(ROOT / ".cache" / "phonoscope"))
if (SHARED / "weights").is_dir():
    os.environ.setdefault("PHONOSCOPE_MODELS", str(SHARED / "weights"))

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell's background job ignores Ctrl-C, and so would children
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("steady", deadline=None, derandomize=True)  # a busy machine is no bug, and CI is no lottery
settings.load_profile("steady")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips beside the project; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"{NO_DATA}: the real clips do not lie in ../shared/data")
    return SHARED / "data"


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """The mirror of published weights beside the project; tests that need it skip where it is absent."""
    if not (SHARED / "weights").is_dir():
        pytest.skip(f"{NO_DATA}: the published weights do not lie in ../shared/weights")
    return SHARED / "weights"


@pytest.fixture(scope="session")
def of_dlib() -> Callable[[str], Any]:
    """A model of dlib's by its name, if dlib is installed and the weights, some 100 MB, lie on this machine."""
    from phonoscope.models.registry import card_of, load
    from phonoscope.models.weights import where

    def get(name: str) -> Any:
        pytest.importorskip("dlib", reason="dlib is not installed: pip install 'phonoscope[dlib]'")
        if where(card_of(name)) is None:
            pytest.skip(f"no weights: those of {name} lie nowhere here, and 100 MB are not fetched for a test")
        return load(name)

    return get


def _skips(config: pytest.Config) -> Counter[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(
        str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr) for report in reports
    )


def pytest_terminal_summary(terminalreporter, config):
    skips = _skips(config)
    terminalreporter.write_line(f"{sum(skips.values())} tests were skipped" + (":" if skips else ""))
    for reason, count in skips.most_common():
        terminalreporter.write_line(f"  {count} × {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    wanting = sum(count for reason, count in _skips(session.config).items() if NO_DATA in reason)
    if wanting and SHARED.is_dir() and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(f"{wanting} tests were skipped for want of data, though {SHARED.name} is there", red=True)


@pytest.fixture(scope="session")
def puppets(tmp_path_factory) -> Path:
    """A drawn film of two people who take turns: 4 s, 640 × 360, 25 fps."""
    from phonoscope.testing.puppet import film, two_heads_taking_turns

    return film(tmp_path_factory.mktemp("films") / "two puppets.mp4", two_heads_taking_turns(4.0))


@pytest.fixture(scope="session")
def silent_puppet(tmp_path_factory) -> Path:
    """A drawn film of one person, 2 s, without sound."""
    from phonoscope.testing.puppet import film, one_head

    return film(tmp_path_factory.mktemp("films") / "silent.mp4", one_head(2.0), audio_codec=None)


@pytest.fixture(scope="session")
def s3() -> Iterator["Server"]:
    """An S3 server of this machine, which counts requests and makes trouble where it is told to."""
    pytest.importorskip("moto", reason="moto is not installed")
    from phonoscope.testing.buckets import s3_server

    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(s3, tmp_path, monkeypatch) -> str:
    """The URI of an empty place in a bucket; clients here and in child processes find it, and keep what they fetch."""
    from phonoscope.testing.buckets import BUCKET, KEYS

    settings = {"config_kwargs": {"read_timeout": 1, "connect_timeout": 5}}
    monkeypatch.setenv("FSSPEC_S3", json.dumps(settings))
    monkeypatch.setitem(fsspec.config.conf, "s3", settings)
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": s3.url, "PHONOSCOPE_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    s3.counts.clear()
    s3.troubles.clear()
    return f"s3://{BUCKET}/{tmp_path.name}"
