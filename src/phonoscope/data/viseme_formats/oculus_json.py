"""Cues by Oculus' own names, in seconds, and the weights of all fifteen: nothing of a track is lost."""

import json
from fractions import Fraction

import msgspec
import numpy as np

from phonoscope.core.visemes import RATE, VISEMES, VisemeTrack, track_of
from phonoscope.data.viseme_formats.cues import LONGEST_S, decoded, no_file_of

WHAT = "oculus-json"
MOST = 1000  # rows a second


class _Cue(msgspec.Struct):
    start: float  # s
    end: float  # s
    value: str


class _File(msgspec.Struct):
    cues: list[_Cue]
    rate: int | str = int(RATE)  # rows a second, "30000/1001" if they are no whole number
    weights: list[list[float]] | None = None


def write(track: VisemeTrack) -> str:
    """The file of a track, a cue and a row of weights a line; weights to four decimals."""
    times = [float(edge / track.rate) for edge in track.edges.tolist()]
    cues = [
        json.dumps({"start": start, "end": end, "value": VISEMES[value]})
        for start, end, value in zip(times[:-1], times[1:], track.values.tolist(), strict=True)
    ]
    rate = int(track.rate) if track.rate.denominator == 1 else str(track.rate)
    parts = [_list("cues", cues), f'  "rate": {json.dumps(rate)}']
    if track.weights is not None:
        rows = np.round(track.weights.astype(np.float64), 4).tolist()
        parts.append(_list("weights", [json.dumps(row) for row in rows]))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def read(text: str) -> VisemeTrack:
    """The track of a file.

    Raises:
        UsageError: it is none, its cues have gaps, or a viseme has another name.
    """
    file = decoded(text, _File, WHAT)
    try:
        rate = Fraction(file.rate)
        values = [VISEMES.index(cue.value) for cue in file.cues]
    except (ValueError, ZeroDivisionError) as error:
        raise no_file_of(WHAT, f"{error}; visemes are {', '.join(VISEMES)}") from None
    times = [time for cue in file.cues for time in (cue.start, cue.end)]
    if not 0 < rate <= MOST or not all(0 <= time <= LONGEST_S for time in times):
        raise no_file_of(WHAT, f"times must lie in 0 to {LONGEST_S:g} s, the rate above 0 and up to {MOST}")
    edges = [round(time * rate) for time in times]
    if edges[:1] not in ([], [0]) or edges[1:-1:2] != edges[2::2] or edges != sorted(edges):
        raise no_file_of(WHAT, "the first cue must begin at 0 and each where the one before it ends")
    if any(len(row) != len(VISEMES) or not 0 <= min(row) <= max(row) <= 1 for row in file.weights or ()):
        raise no_file_of(WHAT, f"a row of weights must have {len(VISEMES)} numbers from 0 to 1")
    weights = None if file.weights is None else np.array(file.weights, np.float32).reshape(-1, len(VISEMES))
    rows = np.repeat(np.array(values, np.int8), np.diff(np.array(edges, np.int64))[::2])
    try:
        return track_of(rows, rate, weights)
    except ValueError as error:
        raise no_file_of(WHAT, str(error)) from None


def _list(name: str, lines: list[str]) -> str:
    return f'  "{name}": [\n' + ",\n".join("    " + line for line in lines) + "\n  ]"
