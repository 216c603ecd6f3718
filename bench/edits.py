"""Edit lists of MP4 files, written by hand."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path


def cut_start(path: Path, start_s: Fraction) -> None:
    """Have players begin so much later, in picture and sound alike; not a packet is touched.

    Raises:
        ValueError: a track has no edit list of one entry.
    """
    data = bytearray(path.read_bytes())
    for track in _boxes(data, b"moov", b"trak"):
        scale = _number(data, next(_boxes(data, b"mdia", b"mdhd", within=track))[0] + 12)
        edits = list(_boxes(data, b"edts", b"elst", within=track))
        if len(edits) != 1 or data[edits[0][0]] != 0 or _number(data, edits[0][0] + 4) != 1:
            raise ValueError(f"{path.name} has a track without an edit list of one entry")
        entry = edits[0][0] + 8
        movie_scale = _number(data, next(_boxes(data, b"moov", b"mvhd"))[0] + 12)
        for at, change in ((entry, -round(start_s * movie_scale)), (entry + 4, round(start_s * scale))):
            data[at : at + 4] = (_number(data, at) + change).to_bytes(4, "big")
    path.write_bytes(data)


def _boxes(data: bytearray, *names: bytes, within: tuple[int, int] | None = None) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes along a path of names start and stop."""
    at, stop = within or (0, len(data))
    while at < stop:
        size = _number(data, at)
        if data[at + 4 : at + 8] == names[0]:
            inside = at + 8, at + size
            yield from _boxes(data, *names[1:], within=inside) if names[1:] else (inside,)
        at += size


def _number(data: bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
