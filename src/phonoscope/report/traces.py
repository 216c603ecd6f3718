"""What varies along a recording, in as few numbers as a page can show: maps of series, curves of heads and mouths."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.core.faces import TrackTable
from phonoscope.core.media import Recording
from phonoscope.core.series import Series
from phonoscope.report.sound import BINS
from phonoscope.store.recording import StoredRecording

BANDS, LEVELS = 24, 16  # rows and shades of a map: enough to see speech, small enough for a page with 500 of them
DRAWN = {"pose": ("yaw_deg", "pitch_deg", "roll_deg"), "mouth": ("opening",)}  # the columns that are worth a curve
SPAN = {"pose": (-45.0, 45.0), "mouth": (0.0, 0.5)}  # values from the bottom of a strip to its top
HAVE_OWN = ("audio", "vad")  # series that the timeline shows in ways of their own


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Some columns of one artifact along one track."""

    name: str
    track: int
    columns: Mapping[str, np.ndarray]  # name -> (BINS,) float32 over the whole recording, NaN where unknown


def maps_of(stored: StoredRecording, paths: Mapping[str, Path]) -> dict[str, np.ndarray]:
    """Every series that is there as a map, (at most BANDS, BINS) uint8, the first number of a row at the bottom."""
    made = {}
    for name, path in paths.items():
        if name not in HAVE_OWN and (path.suffix == ".npy" or path.is_dir()):
            value = stored.load(name)
            if isinstance(value, Series) and value.values.ndim > 1 and len(value):
                made[name] = series_map(value, float(stored.recording.duration_s))
    return made


def series_map(series: Series, duration_s: float) -> np.ndarray:
    """A series (T, …, D) over a recording, as `sampled` has it, neighbouring numbers of a row taken together."""
    values, known = sampled(series, duration_s, BINS)
    edges = np.unique(np.linspace(0, values.shape[1], min(BANDS, values.shape[1]) + 1).astype(int))
    bands = np.add.reduceat(values, edges[:-1], axis=1) / np.diff(edges)
    shades = np.rint(levelled(bands) * (LEVELS - 1)) * (255 // (LEVELS - 1))
    shades[~known] = 0
    return shades.T[::-1].astype(np.uint8)


def sampled(series: Series, duration_s: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """So many rows of a series (T, …, D), evenly over a recording, (count, D) float64; and which of them it has.

    Of layers the last is shown, of complex numbers the magnitude in dB. Only these rows are read.
    """
    at = (np.arange(count) + 0.5) / count * duration_s
    row = np.rint((at - float(series.start)) * float(series.rate)).astype(int)
    rows = np.asarray(series.values[np.clip(row, 0, len(series) - 1)])
    values = rows.reshape(count, -1, rows.shape[-1])[:, -1]
    known = (row >= 0) & (row < len(series))
    return 20 * np.log10(np.abs(values) + 1e-5) if np.iscomplexobj(values) else values.astype(np.float64), known


def levelled(values: np.ndarray) -> np.ndarray:
    """Columns (T, D), each scaled to its own middle 98 %, in [0, 1]."""
    low, high = np.percentile(values, [1, 99], axis=0)
    return np.clip((values - low) / np.maximum(high - low, 1e-9), 0, 1)


def traces_of(stored: StoredRecording, paths: Mapping[str, Path]) -> tuple[Trace, ...]:
    """The curves of every track, by artifact."""
    made = []
    for name in (name for name in DRAWN if name in paths):
        table: TrackTable = stored.load(name)
        for track in np.unique(table.track).tolist():
            mine = table.track == track
            columns = {c: binned(table.columns[c][mine], table.frame[mine], stored.recording) for c in DRAWN[name]}
            made.append(Trace(name, track, columns))
    return tuple(made)


def binned(values: np.ndarray, frame: np.ndarray, recording: Recording) -> np.ndarray:
    """Means over bins of the recording, (BINS,) float32; a bin in which nothing is known is NaN, or, between two
    frames of a short recording, what the frame before it has."""
    known = np.isfinite(values)
    bins = min(BINS, recording.num_frames)
    at = frame[known].astype(np.int64) * bins // recording.num_frames
    counts = np.bincount(at, minlength=bins)
    sums = np.bincount(at, values[known].astype(np.float64), minlength=bins)
    means = np.divide(sums, counts, out=np.full(bins, np.nan), where=counts > 0)
    return means[np.arange(BINS) * bins // BINS].astype(np.float32)
