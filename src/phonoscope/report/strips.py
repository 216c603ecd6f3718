"""The timeline of a recording as SVG paths: x runs from 0 to 1000 over its whole length, y in px."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from phonoscope.core.time import Span
from phonoscope.report.facts import RecordingFacts, TrackFacts
from phonoscope.report.speech import Run

WIDTH = 1000  # units of x in every strip
QUIET_DB = -60.0  # drawn as nothing; full scale is drawn as full height
LANE, LOW_LANE = 14, 8  # px from lane to lane: as a rule, and where there are many
MANY = 12  # lanes
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)  # s, round steps


@dataclass(frozen=True, slots=True)
class Bar:
    """A track on the timeline."""

    track: TrackFacts
    y: int  # px, top
    x: float  # 0 to 1000
    width: float
    height: int  # px
    speech: tuple[tuple[int, str], ...]  # (level, path)


@dataclass(frozen=True, slots=True)
class Strips:
    """All that a timeline shows."""

    shots: tuple[tuple[float, float], ...]  # (x, width)
    bars: tuple[Bar, ...]
    height: int  # px, of all lanes
    voice: str  # path in a box 16 px high
    level: str  # path in a box 32 px high
    ticks: tuple[tuple[float, str], ...]  # (x, seconds as text)


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
        voice="" if facts.voice is None else hill(facts.voice, 16),
        level="" if facts.level_db is None else envelope(facts.level_db, 32),
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


def ticks(duration_s: float, most: int = 8) -> tuple[tuple[float, str], ...]:
    """Round instants along the time axis: (x, seconds as text), at most `most` and the start."""
    step = next((step for step in TICKS if duration_s / step <= most), TICKS[-1])
    digits = 1 if step < 1 else 0
    instants = [k * step for k in range(int(duration_s / step + 1e-9) + 1)]
    return tuple((round(t / duration_s * WIDTH, 2), f"{t:.{digits}f}") for t in instants)


def hill(values: np.ndarray, height: float) -> str:
    """Values (bins,) in [0, 1] as a filled step curve that stands on the bottom of a box."""
    if not len(values):
        return ""
    tops = height * (1 - np.clip(np.asarray(values, np.float64), 0, 1))
    return f"M0 {_n(height)}" + _steps(tops) + f"V{_n(height)}Z"


def envelope(level_db: np.ndarray, height: float) -> str:
    """Levels (bins,) in dB as a filled shape, the same above and below the middle of a box."""
    if not len(level_db):
        return ""
    half = height / 2
    loud = half * np.clip(1 - np.asarray(level_db, np.float64) / QUIET_DB, 0.02, 1)
    back = _steps((half + loud)[::-1], reverse=True)
    return f"M0 {_n(half)}" + _steps(half - loud) + back + "Z"


def _steps(y: np.ndarray, reverse: bool = False) -> str:
    x = np.arange(1, len(y) + 1) * WIDTH / len(y)
    if reverse:
        x = WIDTH - x
    return "".join(f"V{_n(v)}H{_n(u)}" for v, u in zip(y.tolist(), x.tolist(), strict=True))


def _bar(track: TrackFacts, top: int, lane: int, total: int) -> Bar:
    gap = lane // 4
    y, height = top + gap // 2, lane - gap
    x, width = _place(track.span.start, track.span.stop, total)
    by_level = {level: [run for run in track.runs if run.level == level] for level in (1, 2, 3)}
    speech = ((level, _boxes(runs, y, height, total)) for level, runs in by_level.items() if runs)
    return Bar(track, y, x, width, height, tuple(speech))


def _boxes(runs: Iterable[Run], y: int, height: int, total: int) -> str:
    placed = (_place(run.start, run.stop, total) for run in runs)
    return "".join(f"M{_n(x)} {y}h{_n(width)}v{height}h-{_n(width)}z" for x, width in placed)


def _place(start: int, stop: int, total: int) -> tuple[float, float]:
    return round(start / total * WIDTH, 2), round((stop - start) / total * WIDTH, 2)


def _n(value: float) -> str:
    """A number as short as a tenth of a pixel allows."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
