"""Rhubarb's lines: when a shape begins, a tab, the shape; the last line is the end of the sound, at rest."""

import re
from itertools import pairwise

from phonoscope.core.visemes import VisemeTrack
from phonoscope.data.viseme_formats.cues import no_file_of
from phonoscope.data.viseme_formats.rhubarb import REST, shapes_of, track_of_shapes

WHAT = "rhubarb-tsv"


def write(track: VisemeTrack) -> str:
    """The lines of a track."""
    shapes = shapes_of(track)
    lines = [f"{start}\t{shape}" for start, stop, shape in shapes if start != stop]
    return "\n".join([*lines, f"{shapes[-1][1]}\t{REST}"]) + "\n"


def read(text: str) -> VisemeTrack:
    """The track of lines.

    Raises:
        UsageError: they are no such lines, or times do not rise.
    """
    marks: list[tuple[float, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\t(\w+)", line)
        if not found:
            raise no_file_of(WHAT, f"line {number} is '{line}', expected a time, a tab and a shape")
        marks.append((float(found[1]), found[2]))
    if not marks:
        raise no_file_of(WHAT, "it has no lines")
    cues = [(start, stop, shape) for (start, shape), (stop, _) in pairwise(marks)]
    return track_of_shapes(WHAT, cues, marks[-1][0])
