"""Moho's switch data, which OpenToonz and Papagayo know too: the number of a frame and the drawing that it shows.

Source: Rhubarb Lip Sync 1.13 (MIT), its dat export with `--datUsePrestonBlair`. Frames count from 1; a shape is shown
from the frame in which it begins; the last line is the first frame after the sound, at rest.
"""

import re
from fractions import Fraction

from phonoscope.core.errors import UsageError
from phonoscope.core.viseme_maps import CLOSURES, FROM_RHUBARB, PRESTON_BLAIR, TO_RHUBARB
from phonoscope.core.visemes import RATE, VisemeTrack
from phonoscope.data.viseme_formats.cues import cues_of, no_file_of, track_from

WHAT = "moho-dat"
FPS = Fraction(24)  # frames a second, Rhubarb's default
LEAST, MOST = 10, 100  # frames a second: with fewer shapes are lost, with more nothing is won
_HEAD = "MohoSwitch1"
_DRAWINGS = {name: PRESTON_BLAIR[shape] for name, shape in TO_RHUBARB.items()}
_SHUT = {_DRAWINGS[name] for name in CLOSURES}
_MEANT = {drawing: FROM_RHUBARB[shape] for shape, drawing in PRESTON_BLAIR.items()} | {"WQ": "ou"}  # Papagayo's w


def write(track: VisemeTrack, fps: Fraction = FPS) -> str:
    """The file of a track.

    Of several shapes that begin in one frame the last is shown, but none instead of a closure: it waits for the frame
    after it.

    Raises:
        UsageError: frames that the format is not made for.
    """
    _check(fps)
    cues = cues_of(track, _DRAWINGS)
    shown: dict[int, str] = {}
    for start, _, drawing in cues:
        frame = _frame(start, fps)
        while shown.get(frame) in _SHUT:
            frame += 1
        shown[frame] = drawing
    lines, before = [_HEAD], ""
    for frame, drawing in shown.items():
        if drawing != before:
            lines.append(f"{frame} {drawing}")
        before = drawing
    end = max(_frame(cues[-1][1] if cues else 0, fps), max(shown, default=0) + 1)
    return "\n".join([*lines, f"{end} rest"]) + "\n"


def read(text: str, fps: Fraction = FPS) -> VisemeTrack:
    """The track of a file, at 100 rows a second; its drawings by Preston Blair's names or by Rhubarb's letters.

    Raises:
        UsageError: it is none, or frames do not rise.
    """
    _check(fps)
    head, *lines = text.splitlines() or [""]
    marks = [re.fullmatch(r"([1-9]\d{0,8}) (\w+)", line) for line in lines if line]
    if head.strip() != _HEAD or not marks or None in marks:
        raise no_file_of(WHAT, f"expected '{_HEAD}', then lines like '12 MBP'")
    frames = [int(mark[1]) for mark in marks if mark]
    names = [mark[2] for mark in marks if mark]
    meant = _MEANT if set(names) <= _MEANT.keys() else dict(FROM_RHUBARB)
    if unknown := sorted(set(names) - meant.keys()):
        raise no_file_of(WHAT, f"'{unknown[0]}' is no drawing; they are {', '.join(_MEANT)}")
    times = [_first_row(frame, fps) for frame in frames]
    cues = [(a, b, meant[name]) for a, b, name in zip(times, times[1:], names, strict=False)]
    try:
        return track_from(cues, times[-1])
    except ValueError as error:
        raise no_file_of(WHAT, str(error)) from None


def _frame(hundredths: int, fps: Fraction) -> int:
    return 1 + int(hundredths * fps // 100)


def _first_row(frame: int, fps: Fraction) -> float:
    """The time of the first hundredth of a second that begins in a frame, s."""
    return -(-(frame - 1) * RATE // fps) / 100


def _check(fps: Fraction) -> None:
    if not LEAST <= fps <= MOST:
        raise UsageError(f"{WHAT} needs {LEAST} to {MOST} frames a second, got {fps}")
