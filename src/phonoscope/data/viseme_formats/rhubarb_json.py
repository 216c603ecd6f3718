"""Rhubarb's JSON: the sound's name and length, and its mouth cues."""

import json

import msgspec

from phonoscope.core.visemes import VisemeTrack
from phonoscope.data.viseme_formats.cues import decoded
from phonoscope.data.viseme_formats.rhubarb import shapes_of, track_of_shapes

WHAT = "rhubarb-json"


class _Cue(msgspec.Struct):
    start: float  # s
    end: float  # s
    value: str


class _About(msgspec.Struct):
    duration: float  # s


class _File(msgspec.Struct, rename="camel"):
    metadata: _About
    mouth_cues: list[_Cue]


def write(track: VisemeTrack, sound: str = "") -> str:
    """The file of a track, to the blank as Rhubarb lays it out.

    Args:
        sound: the sound's path, as it is to be named in the file.
    """
    shapes = shapes_of(track)
    cues = [f'    {{ "start": {start}, "end": {stop}, "value": "{shape}" }}' for start, stop, shape in shapes]
    head = ["{", '  "metadata": {', f'    "soundFile": {json.dumps(sound, ensure_ascii=False)},']
    head += [f'    "duration": {shapes[-1][1]}', "  },", '  "mouthCues": [']
    return "\n".join([*head, ",\n".join(cues), "  ]", "}"]) + "\n"


def read(text: str) -> VisemeTrack:
    """The track of a file.

    Raises:
        UsageError: it is none, or times do not rise.
    """
    file = decoded(text, _File, WHAT)
    cues = [(cue.start, cue.end, cue.value) for cue in file.mouth_cues]
    return track_of_shapes(WHAT, cues, file.metadata.duration)
