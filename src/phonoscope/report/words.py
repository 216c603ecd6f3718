"""One artifact in words, as tables for a terminal."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from phonoscope.core.faces import Faces, Shots, TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import Crops
from phonoscope.core.media import Clock, Recording
from phonoscope.core.series import Series
from phonoscope.report.draw import require
from phonoscope.report.facts import recording_facts
from phonoscope.report.wording import amount, as_path, clock_time, count, percent, rate, span_s
from phonoscope.store.recording import StoredRecording


def words(stored: StoredRecording, name: str) -> Iterator[Table | Text]:
    """An artifact as tables, then how it was made.

    Raises:
        UsageError: there is no such artifact, it has not been made, or it is stale.
    """
    require(stored, name)
    recording = stored.recording
    value = recording if name == "recording" else stored.load(name)
    if isinstance(value, Shots):
        rows = [(n, s.start, s.stop, span_s(s, recording)) for n, s in enumerate(value.spans)]
        yield _table(("shot", "start", "stop", "span"), rows)
    elif isinstance(value, Tracks):
        yield _tracks(stored, value)
    elif isinstance(value, Crops):
        rows = [(c.track, span_s(c.span, recording), f"{c.size[1]} × {c.size[0]}", c.policy) for c in value.crops]
        yield _table(("track", "span", "px", "policy"), rows)
    else:
        yield _fields(dict(_about(stored, name, value)))
    yield from _made(stored, name)


def _about(stored: StoredRecording, name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Recording):
        yield from _recording(value)
    elif isinstance(value, Clock):
        yield "frames", f"{len(value)} at {rate(stored.recording.fps)} a second"
        yield "time base", f"{value.time_base} s"
        yield "source times", f"{value.pts[0]} to {value.pts[-1]}" if len(value) else "none"
        yield "shown twice", f"{int((np.diff(value.pts) == 0).sum())} frames show the picture before them again"
    elif isinstance(value, Series):
        yield "shape", " × ".join(map(str, value.values.shape))
        yield "rate", f"{rate(value.rate)} rows a second"
        yield "start", f"{float(value.start):g} s"
        yield "values", _range(value.values)
    elif isinstance(value, Faces):
        yield "faces", f"{len(value)} in {len(np.unique(value.frame))} frames"
        yield "score", _range(value.score)
        yield "longer side", _range(np.max(value.box[:, 2:] - value.box[:, :2], axis=1)) + " px"
    elif isinstance(value, TrackArrays):
        yield "tracks", ", ".join(f"{id}: {' × '.join(map(str, a.shape))}" for id, a in value.arrays.items()) or "none"
        yield "missing", f"{_missing(value)} of {len(value.frames.track)} frames"
        for column, numbers in value.frames.columns.items():
            if column != "missing":
                yield column, _range(numbers)
    elif isinstance(value, TrackTable):
        yield "rows", f"{len(value.track)} in {count(len(np.unique(value.track)), 'track')}"
        for column, numbers in value.columns.items():
            yield column, _range(numbers)
    else:
        files = sorted(value.iterdir(), key=lambda path: (len(path.name), path.name))
        yield "folder", str(value)
        yield "files", f"{len(files)}, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"
        yield "", ", ".join(path.name for path in files)


def _missing(value: TrackArrays) -> int:
    """In how many frames there is no face: the table says so, or a NaN does."""
    if "missing" in value.frames.columns:
        return int(value.frames.columns["missing"].sum())
    rows = (np.asarray(array) for array in value.arrays.values())
    return sum(int(np.isnan(a.reshape(len(a), -1)).any(1).sum()) for a in rows)


def _recording(recording: Recording) -> Iterator[tuple[str, str]]:
    yield "id", recording.id
    yield "source", as_path(recording.source)
    yield "length", f"{clock_time(float(recording.duration_s))}, {recording.num_frames} frames"
    yield "picture", f"{recording.width} × {recording.height} px, {rate(recording.fps)} fps"
    sound = f"{recording.sample_rate} Hz, {recording.num_samples} samples" if recording.num_samples else "none"
    yield "sound", sound
    yield "sound starts", f"{float(recording.av_start):+.3f} s after the picture in the source; compensated"
    for field in ("licence", "consent", "origin"):
        if said := getattr(recording.rights, field):
            yield field, said
    yield "notes", "\n".join(recording.notes) or "nothing odd"


def _tracks(stored: StoredRecording, tracks: Tracks) -> Table:
    rows = []
    for track, facts in zip(tracks, recording_facts(stored).tracks or (), strict=True):
        side = float(np.max(track.box[:, 2:] - track.box[:, :2], axis=1).mean()) if len(track) else 0.0
        span = span_s(track.span, stored.recording)
        rows.append((track.id, span, f"{side:.0f} px", percent(facts.observed), percent(facts.speaking)))
    return _table(("track", "span", "size", "seen", "speaking"), rows)


def _made(stored: StoredRecording, name: str) -> Iterator[Table | Text]:
    receipt = stored.receipts[name]
    made = {"made by": f"{receipt.step} v{receipt.version} in {amount(receipt.seconds, 's')}", "key": receipt.key}
    if receipt.card:
        made["model"] = receipt.card
    if receipt.params:
        made["settings"] = ", ".join(f"{key} = {value}" for key, value in receipt.params.items())
    if receipt.inputs:
        made["from"] = ", ".join(receipt.inputs)
    if receipt.warnings:
        made["warnings"] = "\n".join(receipt.warnings)
    yield Text()
    yield _fields(made)


def _range(values: np.ndarray) -> str:
    values = np.asarray(values)
    if values.dtype.kind == "U":
        different = sorted(set(values.tolist()))
        return f"{len(different)} different: {', '.join(different[:3])}{' …' if len(different) > 3 else ''}"
    if np.iscomplexobj(values):
        return f"magnitude {_range(np.abs(values))}"
    values, every = values[np.isfinite(values)], values.size
    if not values.size:
        return "none" if not every else f"{every} unknown"
    if values.size < every:
        return f"{_range(values)}, {every - values.size} unknown"
    return f"{values.min():.3g} to {values.max():.3g}, mean {values.mean():.3g}"


def _fields(fields: dict[str, str]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, said in fields.items():
        table.add_row(name, Text(said))
    return table


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", caption="" if rows else "none")
    for name in head:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table
