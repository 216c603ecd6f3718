"""Edit lists that begin between two pictures: where FFmpeg is off by up to one picture, and by how much."""

from pathlib import Path

from phonoscope.media.source import open_film

LOOKED_AT = 500  # packets


def slip(path: Path, positions: dict[int, int], step: int) -> int:
    """By how much the pictures of an edited mp4 are shown later than their timestamps say, in ticks.

    An edit that begins between two pictures shows the rest of the first for a moment. FFmpeg hides that picture and
    moves all others forward to fill the moment, but not the sound. The same packets, read without hiding, tell.

    Args:
        positions: of some shown packets: byte in the file -> pts as FFmpeg has it.
        step: ticks from one picture to the next; whatever is off by more is another kind of edit, and left alone.
    """
    with open_film(path, {"advanced_editlist": "0"}) as film:
        for number, packet in enumerate(film.packets(film.video)):
            if packet.pos in positions and packet.pts is not None:
                off = packet.pts - positions[packet.pos]
                return off if 0 < off <= step else 0
            if number > LOOKED_AT:
                break
    return 0
