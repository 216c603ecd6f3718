"""Curves and maps over time, small and plain."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phonoscope.core.faces import TrackTable
from phonoscope.core.media import Recording
from phonoscope.core.series import Series
from phonoscope.media.canvas import AMBER, BLUE, INK, LINE, SOFT, Colour, blank, fill, hue, text_width, write
from phonoscope.report.strips import WIDTH, ticks
from phonoscope.report.traces import levelled, sampled
from phonoscope.store.recording import StoredRecording

SIZE = (260, 1000)  # h, w px of the whole picture
PANEL = 150  # px, height of one of several pictures that stand on each other
MOST = 256  # rows of a map; of more, evenly chosen ones are shown
ONE = 1e-3  # of the largest value: by less, values do not differ in the three digits that an axis has
LEFT, RIGHT, TOP, BOTTOM = 54, 16, 34, 26  # px, margins


class Line(NamedTuple):
    """A curve that may stop and go on."""

    time_s: np.ndarray  # (T,)
    value: np.ndarray  # (T,)
    colour: Colour
    label: str = ""


def plot_of(stored: StoredRecording, name: str) -> np.ndarray:
    """`audio`, `vad` and numbers along tracks as curves, anything else that varies with time as a map, (H, W, 3)."""
    recording = stored.recording
    duration_s, title = float(recording.duration_s), f"{recording.id} · {name}"
    value = stored.load(name)
    if isinstance(value, TrackTable) and name == "asd":
        lines = _tracks(value, "score", float(recording.fps))
        return curves(lines, duration_s, bounds(value), f"{title}, log-odds of speaking")
    if isinstance(value, TrackTable):
        return np.concatenate([_panel(value, column, recording, title) for column in value.columns])
    if name == "audio":
        return curves([_envelope(value)], duration_s, (-1.0, 1.0), f"{title}, lowest and highest sample")
    if value.values.ndim == 1:
        colour = AMBER if name == "vad" else BLUE
        shown = Line(_times(value), np.asarray(value.values), colour)
        return curves([shown], duration_s, (0.0, 1.0) if name == "vad" else bounds(shown.value), title)
    return heat_map(value, duration_s, title)


def _panel(table: TrackTable, column: str, recording: Recording, title: str) -> np.ndarray:
    """One column along every track."""
    lines, known = _tracks(table, column, float(recording.fps)), table.columns[column]
    span = bounds(known[np.isfinite(known)])
    return curves(lines, float(recording.duration_s), span, f"{title} · {column}", PANEL)


def curves(
    lines: Sequence[Line], duration_s: float, span: tuple[float, float], title: str, tall: int = SIZE[0]
) -> np.ndarray:
    """Curves over a time axis, (H, W, 3) uint8; each pixel column shows all values that fall into it.

    Where a value is not known (NaN) the curve stops.
    """
    picture, (low, high) = blank(tall, SIZE[1]), span
    height, width = tall - TOP - BOTTOM, SIZE[1] - LEFT - RIGHT
    for level in (low, 0.0 if low < 0 < high else (low + high) / 2, high):
        y = TOP + round((high - level) / (high - low) * (height - 1))
        fill(picture, LEFT, y, LEFT + width, y + 1, LINE)
        text = f"{level:.0f}" if abs(level) >= 100 else f"{level:.3g}" if abs(level) >= 0.1 else f"{level:.2g}"
        write(picture, LEFT - 6 - text_width(text), y - 3, text, SOFT)
    for line in (piece for whole in lines for piece in _known(whole)):
        x = np.clip(line.time_s / duration_s * width, 0, width - 1).astype(int)
        y = np.rint((high - np.clip(line.value, low, high)) / (high - low) * (height - 1)).astype(int)
        for column, top, bottom in _columns(x, y):
            fill(picture, LEFT + column, TOP + top, LEFT + column + 1, TOP + bottom + 2, line.colour)
        if line.label and len(x):
            write(picture, LEFT + int(x[0]), TOP + max(2, int(y[0]) - 10), line.label, line.colour)
    return _framed(picture, duration_s, title)


def heat_map(series: Series, duration_s: float, title: str) -> np.ndarray:
    """Rows over time, (T, D) or more, each scaled to its own middle 98 %; the first at the bottom."""
    picture = blank(*SIZE)
    height, width = SIZE[0] - TOP - BOTTOM, SIZE[1] - LEFT - RIGHT
    if len(series):
        values, known = sampled(series, duration_s, width)
        depth = values.shape[1]
        level = levelled(values[:, np.unique(np.linspace(0, depth - 1, MOST).astype(int))])
        shown = level.T[::-1]
        which = np.arange(height) * len(shown) // height
        colours = np.stack([255 - 225 * shown, 254 - 150 * shown, 251 - 105 * shown], 2).astype(np.uint8)
        picture[TOP : TOP + height, LEFT : LEFT + width][:, known] = colours[which][:, known]
        for text, y in (("0", TOP + height - 8), (str(depth - 1), TOP + 1)):
            write(picture, LEFT - 6 - text_width(text), y, text, SOFT)
    return _framed(picture, duration_s, title)


def _known(line: Line) -> list[Line]:
    """A curve in pieces in which every value is known; the first of them keeps the label."""
    known = np.flatnonzero(np.isfinite(line.value))
    pieces = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(known) else []
    return [
        Line(line.time_s[piece], line.value[piece], line.colour, "" if k else line.label)
        for k, piece in enumerate(pieces)
    ]


def _framed(picture: np.ndarray, duration_s: float, title: str) -> np.ndarray:
    height, width = len(picture) - TOP - BOTTOM, SIZE[1] - LEFT - RIGHT
    write(picture, LEFT, 10, title, INK, 2 if text_width(title, 2) < width else 1)
    fill(picture, LEFT, TOP + height, LEFT + width, TOP + height + 1, SOFT)
    for x, text in ticks(duration_s):
        at = LEFT + round(x / WIDTH * width)
        fill(picture, at, TOP + height, at + 1, TOP + height + 5, SOFT)
        write(picture, min(at + 3, SIZE[1] - text_width(text) - 2), TOP + height + 8, text, SOFT)
    write(picture, LEFT - 12, TOP + height + 8, "s", SOFT)
    return picture


def _columns(x: np.ndarray, y: np.ndarray) -> list[tuple[int, int, int]]:
    """(column, top, bottom) of a curve whose x never decreases, each joined to the column before."""
    if len(x) < 2:
        return [(int(x[0]), int(y[0]), int(y[0]))] if len(x) else []
    if np.diff(x).max() > 1:  # fewer values than columns: straight lines between them
        every = np.arange(x[0], x[-1] + 1)
        x, y = every, np.rint(np.interp(every, x, y)).astype(int)
    first = np.append(0, np.flatnonzero(np.diff(x)) + 1)
    top, bottom = np.minimum.reduceat(y, first), np.maximum.reduceat(y, first)
    before = y[np.maximum(first - 1, 0)]
    top, bottom = np.minimum(top, before), np.maximum(bottom, before)
    return list(zip(x[first].tolist(), top.tolist(), bottom.tolist(), strict=True))


def _envelope(audio: Series) -> Line:
    """At most some thousand pairs of lowest and highest sample, which look like the whole."""
    run = max(1, len(audio) // 4000)
    whole = np.asarray(audio.values[: len(audio) // run * run]).reshape(-1, run)
    pairs = np.stack([whole.min(1, initial=1), whole.max(1, initial=-1)], 1).ravel()
    return Line(np.repeat(np.arange(len(whole)) * run / float(audio.rate), 2), pairs, BLUE)


def _tracks(table: TrackTable, column: str, fps: float) -> list[Line]:
    ids = np.unique(table.track).tolist()
    return [Line((table.frame[table.track == id] + 0.5) / fps, table.of(id, column), hue(id), str(id)) for id in ids]


def _times(series: Series) -> np.ndarray:
    return float(series.start) + np.arange(len(series)) / float(series.rate)


def bounds(values: "np.ndarray | TrackTable") -> tuple[float, float]:
    """Ends of an axis that hold all values, (N,); those of log-odds lie evenly about 0.

    Values that the axis could not tell apart are one: it stands in the middle, and 0 at an end.
    """
    if isinstance(values, TrackTable):
        most = float(np.ceil(np.abs(values.columns["score"]).max(initial=1)))
        return -most, most
    values = np.asarray(values, np.float64)
    low, high = float(np.min(values, initial=np.inf)), float(np.max(values, initial=-np.inf))
    if not np.isfinite(low):
        return 0.0, 1.0
    if high - low > ONE * max(-low, high):
        return low, high
    return (min(2 * low, 0.0), max(2 * high, 0.0)) if low or high else (-1.0, 1.0)
