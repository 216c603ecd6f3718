"""Rhubarb's XML: the sound's name and length, and its mouth cues."""

import re
from xml.sax.saxutils import escape

from phonoscope.core.visemes import VisemeTrack
from phonoscope.data.viseme_formats.cues import no_file_of
from phonoscope.data.viseme_formats.rhubarb import shapes_of, track_of_shapes

WHAT = "rhubarb-xml"
_QUOTES = {'"': "&quot;", "'": "&apos;"}
_TIME = r"\s*(\d+(?:\.\d+)?)\s*"
_CUE = re.compile(rf'<mouthCue\s+start="{_TIME}"\s+end="{_TIME}"\s*>\s*(\w+)\s*</mouthCue>')


def write(track: VisemeTrack, sound: str = "") -> str:
    """The file of a track, to the blank as Rhubarb lays it out.

    Args:
        sound: the sound's path, as it is to be named in the file.
    """
    shapes = shapes_of(track)
    cues = [f'    <mouthCue start="{start}" end="{stop}">{shape}</mouthCue>' for start, stop, shape in shapes]
    head = ['<?xml version="1.0" encoding="utf-8"?>', "<rhubarbResult>", "  <metadata>"]
    about = [f"    <soundFile>{escape(sound, _QUOTES)}</soundFile>", f"    <duration>{shapes[-1][1]}</duration>"]
    tail = ["  </mouthCues>", "</rhubarbResult>"]
    return "\n".join([*head, *about, "  </metadata>", "  <mouthCues>", *cues, *tail]) + "\n"


def read(text: str) -> VisemeTrack:
    """The track of a file.

    Raises:
        UsageError: it is none, or times do not rise.
    """
    duration = re.search(rf"<duration>{_TIME}</duration>", text)
    cues = _CUE.findall(text)
    if not duration or len(cues) != text.count("<mouthCue "):
        raise no_file_of(WHAT, 'expected <duration> and cues like <mouthCue start="0.00" end="0.05">X</mouthCue>')
    return track_of_shapes(
        WHAT, [(float(start), float(stop), shape) for start, stop, shape in cues], float(duration[1])
    )
