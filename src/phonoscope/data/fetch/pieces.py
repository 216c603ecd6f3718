"""The pieces that a list asks for, cut out of a film that has come: exact to the frame, re-encoded once."""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.time import Span
from phonoscope.corpora.wanted import Piece
from phonoscope.data.cut import SAMPLE_RATE, write_piece

SLACK_S = 0.5  # by which a list's last piece may go beyond the film's end


def recipe(piece: Piece, fps: Fraction | None, crop: bool) -> str:
    """How a piece is cut out, in a line that differs where the piece would."""
    window = f", {piece.crop} of {piece.crop_height} px" if crop and piece.crop else ""
    return f"{piece.start_s:.6f}-{piece.stop_s:.6f} s at {fps or 'native'}{window}"


def cut_out(
    film: Path,
    pieces: Sequence[Piece],
    fps: Fraction | None = None,
    crf: int = 18,
    crop: bool = False,
    kept: Collection[str] = (),
) -> tuple[list[Path], Mapping[str, str]]:
    """Cut pieces out of a film, each beside it as `<name>.mp4`.

    A piece holds the frames shown from its start to before its stop, by the nearest frame.

    Args:
        fps: frames a second of the pieces; None: the film's own.
        crop: only the window of a piece that tells one.
        kept: names of pieces that lie there as they should be.

    Returns:
        The files, and why others could not be cut, by name.
    """
    from phonoscope.media.probe import probe

    found = probe(film, fps, SAMPLE_RATE)
    made, failed = [], {}
    for piece in pieces:
        path = film.with_name(f"{piece.name}.mp4")
        start, stop = (round(Fraction(at) * found.fps) for at in (piece.start_s, piece.stop_s))
        if stop > found.num_frames + SLACK_S * found.fps or start >= found.num_frames:
            ends = float(found.num_frames / found.fps)
            failed[piece.name] = f"'{piece.name}' goes to {piece.stop_s:g} s, but the film ends at {ends:.2f} s"
            continue
        if piece.name not in kept:
            size, window = (found.height, found.width), np.eye(2, 3)
            if crop and piece.crop:
                x0, y0, x1, y1 = (at * found.height / piece.crop_height for at in piece.crop)
                size, window = (round(y1 - y0), round(x1 - x0)), np.array([[1, 0, -x0], [0, 1, -y0]], float)
            even = (size[0] // 2 * 2, size[1] // 2 * 2)
            try:
                write_piece(film, found, Span(start, min(stop, found.num_frames)), path, even, window, crf)
            except RecordingFailed as error:
                failed[piece.name] = f"'{piece.name}': {error}"
                continue
        made.append(path)
    return made, failed
