"""Subtitles: the name of each viseme as a text that is shown as long, to be laid under a film and looked at.

Source: SubRip, as FFmpeg and players read it: a number from 1, times to the millisecond, a text, a blank line.
"""

import re

from phonoscope.core.visemes import VISEMES, VisemeTrack
from phonoscope.data.viseme_formats.cues import ITSELF, cues_of, no_file_of, track_from

WHAT = "srt"
_TIME = r"(\d{1,4}):(\d\d):(\d\d)[,.](\d{3})"
_BLOCK = re.compile(rf"\d+\s*\n{_TIME} --> {_TIME}\s*\n(\w+)\s*")


def write(track: VisemeTrack) -> str:
    """The subtitles of a track."""
    cues = enumerate(cues_of(track, ITSELF), 1)
    blocks = [f"{number}\n{_time(start)} --> {_time(stop)}\n{name}\n" for number, (start, stop, name) in cues]
    return "\n".join(blocks)


def read(text: str) -> VisemeTrack:
    """The track of subtitles; it ends with the last.

    Raises:
        UsageError: they are none, a text is no viseme, or times do not rise.
    """
    blocks = [block for block in re.split(r"\n[ \t]*\n", text.lstrip("\ufeff").replace("\r\n", "\n")) if block.strip()]
    cues: list[tuple[float, float, str]] = []
    for block in blocks:
        found = _BLOCK.fullmatch(block.lstrip("\n"))
        if not found or found[9] not in VISEMES:
            raise no_file_of(WHAT, f"expected a number, times and a viseme, got '{' / '.join(block.split(chr(10)))}'")
        cues.append((_seconds(*found.groups()[:4]), _seconds(*found.groups()[4:8]), found[9]))
    try:
        return track_from(cues, cues[-1][1] if cues else 0)
    except ValueError as error:
        raise no_file_of(WHAT, str(error)) from None


def _time(hundredths: int) -> str:
    seconds, rest = divmod(hundredths, 100)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},{rest * 10:03d}"


def _seconds(hours: str, minutes: str, seconds: str, thousandths: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(thousandths) / 1000
