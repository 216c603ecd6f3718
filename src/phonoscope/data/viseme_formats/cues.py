"""What the formats share: cues of a track on a grid of 10 ms, and tracks of cues that a file tells."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

import msgspec
import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.visemes import NOT_SCORED, RATE, SILENCE, VISEMES, VisemeTrack, track_of
from phonoscope.data.viseme_tracks import filled

Name = TypeVar("Name", bound=Hashable)
Form = TypeVar("Form")
LONGEST_S = 360_000.0  # s; a greater time is a slip, and there would be no memory for it
ITSELF = {name: name for name in VISEMES}


def cues_of(track: VisemeTrack, names: Mapping[str, Name]) -> list[tuple[int, int, Name]]:
    """The cues of a track by the names of another set: from, to in hundredths of a second, name; likes are joined."""
    edges = centiseconds(track)
    made: list[tuple[int, int, Name]] = []
    for start, stop, value in zip(edges[:-1], edges[1:], track.values.tolist(), strict=True):
        name = names[VISEMES[value]]
        if made and made[-1][2] == name:
            made[-1] = (made[-1][0], stop, name)
        elif stop > start:
            made.append((start, stop, name))
    return made


def centiseconds(track: VisemeTrack) -> list[int]:
    """The edges of a track in hundredths of a second, the nearest, of two the later."""
    ratio = RATE / track.rate
    doubled = 2 * ratio.denominator
    return ((2 * track.edges * ratio.numerator + ratio.denominator) // doubled).tolist()


def seconds(hundredths: int) -> str:
    """Hundredths of a second in seconds, as "12.05"."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def track_from(cues: Iterable[tuple[float, float, str]], until_s: float) -> VisemeTrack:
    """A track of cues, each from and to a time in seconds, with its viseme; "" takes its neighbours', gaps are silence.

    Raises:
        ValueError: a time lies before the one before it, or beyond all measure.
    """
    cues = list(cues)
    times = [time for start, stop, _ in cues for time in (start, stop)] + [until_s]
    late = [after for before, after in zip([0.0, *times], times, strict=False) if not before <= after <= LONGEST_S]
    if late:
        raise ValueError(f"times must rise from 0, got {late[0]:g} s after a later one")
    rows = np.full(_row(until_s), SILENCE, np.int8)
    for start, stop, name in cues:
        rows[_row(start) : _row(stop)] = VISEMES.index(name) if name else NOT_SCORED
    return track_of(filled(rows))


def _row(time_s: float) -> int:
    return round(time_s * float(RATE))


def decoded(text: str, form: type[Form], what: str) -> Form:
    """What a JSON text holds, if it has the form of a msgspec type.

    Raises:
        UsageError: it is no JSON, or of another form.
    """
    try:
        return msgspec.json.decode(text, type=form)
    except msgspec.MsgspecError as error:
        raise no_file_of(what, str(error)) from None


def no_file_of(what: str, why: str) -> UsageError:
    """That a text is not of a format, in one line, to be raised."""
    return UsageError(f"no {what} file: {why}")
