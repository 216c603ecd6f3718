"""The timeline of a recording as SVG: whole numbers only, x from 0 to 4000 over its length, y in quarters of a px."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phonoscope.core.time import Span
from phonoscope.report.facts import RecordingFacts, TrackFacts
from phonoscope.report.speech import Run
from phonoscope.report.traces import DRAWN, SPAN, Trace

FINE = 4  # units a px, so that paths are whole numbers, which are short and quick to write
WIDTH = 1000 * FINE
QUIET_DB = -60.0  # drawn as nothing; full scale is drawn as full height
VOICE, LEVEL, CURVE = 16, 32, 32  # px, heights of the strips
LANE, LOW_LANE, MANY = 14, 8, 12  # px from lane to lane; the same where there are more than so many lanes
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)  # s, round steps


@dataclass(frozen=True, slots=True)
class Bar:
    """A track on the timeline."""

    track: TrackFacts
    x: int
    width: int
    top: int  # px
    height: int  # px
    speech: tuple[tuple[int, str], ...]  # (level, path)


@dataclass(frozen=True, slots=True)
class Curves:
    """What is known along the tracks by one artifact; tracks that share frames lie over each other."""

    name: str
    columns: tuple[str, ...]
    paths: tuple[tuple[int, int, str], ...]  # (track, column, path)


@dataclass(frozen=True, slots=True)
class Strips:
    """All that a timeline shows."""

    shots: tuple[tuple[int, int], ...]  # (x, width)
    bars: tuple[Bar, ...]
    height: int  # px, of all lanes
    voice: str  # path, VOICE px high; "" if there is nothing to show
    level: str  # path, LEVEL px high
    curves: tuple[Curves, ...]
    ticks: tuple[tuple[int, str], ...]  # (x, seconds as text)


def strips(facts: RecordingFacts) -> Strips:
    """The timeline of one recording."""
    total = facts.recording.num_frames
    tracks = facts.tracks or ()
    rows = lanes([track.span for track in tracks])
    lane = LANE if max(rows, default=0) < MANY else LOW_LANE
    return Strips(
        shots=tuple(_place(span.start, span.stop, total) for span in facts.shots or ()),
        bars=tuple(_bar(track, row * lane, lane, total) for track, row in zip(tracks, rows, strict=True)),
        height=(max(rows, default=0) + 1) * lane,
        voice="" if facts.voice is None else hill(facts.voice, VOICE * FINE),
        level="" if facts.level_db is None else envelope(facts.level_db, LEVEL * FINE),
        curves=tuple(_curves(name, facts.traces) for name in DRAWN if any(t.name == name for t in facts.traces)),
        ticks=ticks(float(facts.recording.duration_s)),
    )


def lanes(spans: Sequence[Span]) -> list[int]:
    """A lane for each span, as few lanes as can be, so that no two spans in a lane share a frame."""
    free_from: list[int] = []
    chosen = [0] * len(spans)
    for k in sorted(range(len(spans)), key=lambda k: (spans[k].start, k)):
        lane = next((n for n, frame in enumerate(free_from) if frame <= spans[k].start), len(free_from))
        free_from[lane : lane + 1] = [spans[k].stop]
        chosen[k] = lane
    return chosen


def ticks(duration_s: float, most: int = 8) -> tuple[tuple[int, str], ...]:
    """Round instants along the time axis, (x, seconds as text): the start and at most `most` more."""
    step = next((step for step in TICKS if duration_s / step < most + 1), duration_s / most)
    instants = [k * step for k in range(int(duration_s / step + 1e-9) + 1)]
    return tuple((round(t / duration_s * WIDTH), f"{t:.{0 if step >= 1 else 1}f}") for t in instants)


def hill(values: np.ndarray, height: int) -> str:
    """Values (bins,) in [0, 1] as a filled step curve that stands on the bottom of a box."""
    if not len(values):
        return ""
    tops = np.rint(height * (1 - np.clip(values, 0, 1))).astype(int)
    return f"M0 {height}{_steps(tops)}V{height}Z"


def envelope(level_db: np.ndarray, height: int) -> str:
    """Levels (bins,) in dB as a filled shape, the same above and below the middle of a box."""
    if not len(level_db):
        return ""
    half = height // 2
    loud = np.rint(half * np.clip(1 - level_db / QUIET_DB, 0.02, 1)).astype(int)
    return f"M0 {half}{_steps(half - loud)}{_steps((half + loud)[::-1], back=True)}Z"


def curve(values: np.ndarray, low: float, high: float, height: int) -> str:
    """Values (bins,) as a line from bin to bin, `low` at the bottom of a box; it stops where a value is unknown."""
    y = np.rint(height * (1 - (np.clip(values, low, high) - low) / (high - low)))
    x = np.rint((np.arange(len(values)) + 0.5) * WIDTH / len(values)).astype(int)
    known = np.isfinite(values)
    begins = known & ~np.append(False, known[:-1])
    return "".join(f"{'M' if begins[k] else 'L'}{x[k]} {int(y[k])}" for k in np.flatnonzero(known))


def _curves(name: str, traces: Sequence[Trace]) -> Curves:
    mine, columns = [trace for trace in traces if trace.name == name], DRAWN[name]
    drawn = ((t.track, k, curve(t.columns[c], *SPAN[name], CURVE * FINE)) for t in mine for k, c in enumerate(columns))
    return Curves(name, columns, tuple(drawn))


def _steps(y: np.ndarray, back: bool = False) -> str:
    """Steps at heights y, from left to right or back; equal ones are drawn as one."""
    last = np.append(np.flatnonzero(np.diff(y)), len(y) - 1)
    x = np.rint((last + 1) * WIDTH / len(y)).astype(int)
    x = WIDTH - x if back else x
    return "".join(f"V{v}H{u}" for v, u in zip(y[last].tolist(), x.tolist(), strict=True))


def _bar(track: TrackFacts, top: int, lane: int, total: int) -> Bar:
    gap = lane // 4
    top, height = top + gap // 2, lane - gap
    x, width = _place(track.span.start, track.span.stop, total)
    levels = sorted({run.level for run in track.runs})
    speech = ((level, _boxes([r for r in track.runs if r.level == level], top, height, total)) for level in levels)
    return Bar(track, x, width, top, height, tuple(speech))


def _boxes(runs: Sequence[Run], top: int, height: int, total: int) -> str:
    edges = np.rint(np.array([(run.start, run.stop) for run in runs]) * WIDTH / total).astype(int).tolist()
    top, height = top * FINE, height * FINE
    return "".join(f"M{start} {top}H{stop}v{height}H{start}z" for start, stop in edges)


def _place(start: int, stop: int, total: int) -> tuple[int, int]:
    x = round(start * WIDTH / total)
    return x, round(stop * WIDTH / total) - x
