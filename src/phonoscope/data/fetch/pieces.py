"""The pieces that a list asks for, cut out of a film that has come: exact to the frame, re-encoded once."""

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phonoscope.core.media import Picture
from phonoscope.core.time import Span, merge_spans
from phonoscope.corpora.wanted import Piece
from phonoscope.data.cut import BIT_RATE, PRESET, SAMPLE_RATE, Sound

if TYPE_CHECKING:
    from phonoscope.media.probe import Probe

_Writer = Generator[None, tuple[Picture, np.ndarray | None], None]
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
    """Cut pieces out of a film, each beside it as `<name>.mp4`, in one reading of its pictures and of its sound.

    A piece holds the frames shown from its start to before its stop, by the nearest frame. Pieces may overlap.

    Args:
        fps: frames a second of the pieces; None: the film's own.
        crop: only the window of a piece that tells one.
        kept: names of pieces that lie there as they should be.

    Returns:
        The files, and why others could not be cut, by name.

    Raises:
        RecordingFailed: the film cannot be read.
    """
    from phonoscope.media.probe import probe

    found = probe(film, fps, SAMPLE_RATE)
    paths, due, failed = [], [], {}
    for piece in pieces:
        start, stop = (round(Fraction(at) * found.fps) for at in (piece.start_s, piece.stop_s))
        if stop > found.num_frames + SLACK_S * found.fps or start >= found.num_frames:
            ends = float(found.num_frames / found.fps)
            failed[piece.name] = f"'{piece.name}' goes to {piece.stop_s:g} s, but the film ends at {ends:.2f} s"
            continue
        paths.append(film.with_name(f"{piece.name}.mp4"))
        if piece.name not in kept:
            span = Span(start, max(start + 1, min(stop, found.num_frames)))
            due.append(_Cut(paths[-1], span, *_window(piece if crop else None, found)))
    _write(film, found, due, crf)
    return paths, failed


@dataclass(frozen=True, slots=True)
class _Cut:
    """A piece on the film's clock."""

    path: Path
    span: Span
    size: tuple[int, int]  # (h, w) px, both even
    window: np.ndarray  # (2, 3), from the film's px to the piece's


def _window(piece: Piece | None, film: "Probe") -> tuple[tuple[int, int], np.ndarray]:
    """Size of a piece, and what leads to it from the film: all of it, or what the piece tells."""
    size, window = (film.height, film.width), np.eye(2, 3)
    if piece and piece.crop:
        x0, y0, x1, y1 = (at * film.height / piece.crop_height for at in piece.crop)
        size, window = (round(y1 - y0), round(x1 - x0)), np.array([[1, 0, -x0], [0, 1, -y0]], float)
    return (max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)), window


def _write(film: Path, found: "Probe", due: Sequence[_Cut], crf: int) -> None:
    """Write pieces, each whole or not at all."""
    from phonoscope.media.audio import read_audio
    from phonoscope.media.video import decode

    pictures = decode(film, found.clock, merge_spans([it.span for it in due]))
    sound = None
    if found.num_samples and due:
        sound = Sound(read_audio(film, found.timeline, found.num_samples, SAMPLE_RATE))
    waiting = sorted(due, key=lambda it: it.span, reverse=True)
    writers: list[_Writer] = []
    try:
        for picture in pictures:
            while waiting and waiting[-1].span.start == picture.frame:
                writers.append(_writer(waiting.pop(), found.fps, SAMPLE_RATE if sound else 0, crf))
                next(writers[-1])
            under = Span(picture.frame, picture.frame + 1).samples(found.fps, SAMPLE_RATE)
            given = picture, sound.under(under) if sound else None
            writers[:] = [it for it in writers if _goes_on(it, given)]
    finally:
        for it in writers:  # a film that broke off leaves nothing half
            it.close()


def _writer(cut: _Cut, fps: Fraction, rate: int, crf: int) -> "_Writer":
    """Is sent each frame of a piece with the sound under it; the piece is there after the last."""
    from phonoscope.media.encode import FilmWriter

    with FilmWriter(cut.path, cut.size, fps, rate, crf=crf, preset=PRESET, audio_bit_rate=BIT_RATE) as film:
        for _ in range(len(cut.span)):
            picture, heard = yield
            film.picture(picture.crop_yuv(cut.window, cut.size, 0))
            if heard is not None:
                film.sound(heard)


def _goes_on(writer: "_Writer", given: tuple[Picture, np.ndarray | None]) -> bool:
    """Whether a piece wants more after this frame."""
    try:
        writer.send(given)
    except StopIteration:
        return False
    return True
