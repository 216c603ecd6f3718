"""Numbers and names as people read them."""

import base64
import shlex
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np

from phonoscope.core.media import Recording
from phonoscope.core.time import Span
from phonoscope.media.encode import png

UNITS = (("h", 3600.0), ("min", 60.0), ("s", 1.0))


def unit_for(seconds: float) -> str:
    """The unit in which such a time is read most easily: h, min or s."""
    return next((unit for unit, size in UNITS if seconds >= size), "s")


def amount(seconds: float, unit: str = "") -> str:
    """A time in one unit: 1.25 h, 12.4 min, 15.2 s; without a given one also 0.04 s."""
    if not unit and 0 < seconds < 1:
        return f"{seconds:.2f} s"
    unit = unit or unit_for(seconds)
    return f"{seconds / dict(UNITS)[unit]:.{2 if unit == 'h' else 1}f} {unit}"


def clock_time(seconds: float) -> str:
    """A length as a clock would show it: 0:15.2 or 1:02:03."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02}:{rest // 10:02}"
    return f"{minutes}:{rest // 10:02}.{rest % 10}"


def percent(share: float | None) -> str:
    """A share of 1 in per cent; a dash if it is not known."""
    return "–" if share is None else f"{share * 100:.0f} %"


def rate(fps: Fraction) -> str:
    """Frames a second: 25, or 29.97."""
    return str(fps) if fps.denominator == 1 else f"{float(fps):.2f}"


def speed(times: float | None) -> str:
    """Times real time."""
    return "–" if times is None else f"{times:.1f}×" if times < 100 else f"{times:,.0f}×".replace(",", " ")


def count(number: int, singular: str, plural: str = "") -> str:
    """1 track, 2 tracks."""
    return f"{number:,} ".replace(",", " ") + (singular if number == 1 else plural or f"{singular}s")


def span_s(span: Span, recording: Recording) -> str:
    """A run of frames in seconds: 12.4–15.8 s."""
    start, stop = (float(frame / recording.fps) for frame in (span.start, span.stop))
    return f"{start:.1f}–{stop:.1f} s"


def file_name(uri: str) -> str:
    """The last part of where a film lies, as its owner wrote it."""
    return unquote(urlparse(uri).path.rstrip("/").rsplit("/", 1)[-1]) or uri


def as_path(uri: str) -> str:
    """A file's path; anything else as it is."""
    parts = urlparse(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def again(sources: Sequence[str], store: str) -> str:
    """The command that tries films again, for a shell."""
    return shlex.join(["phonoscope", "prepare", *map(as_path, sources), "--to", store])


def map_uri(levels: np.ndarray) -> str:
    """A map (h, w) uint8 as a grey picture that stands in the page itself."""
    return "data:image/png;base64," + base64.b64encode(png(levels)).decode()


def data_uri(path: Path) -> str:
    """A JPEG that stands in the page itself."""
    return "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode()
