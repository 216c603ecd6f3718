"""A clip's pictures, as numbered PNG files and as a film with its sound."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path

from phonoscope.core.media import Picture, Recording
from phonoscope.core.time import Span
from phonoscope.data.pack.formats import picture_name
from phonoscope.data.pack.png import png
from phonoscope.data.pack.square import FixedSquare

Rest = Generator[None, Sequence[Picture], None]
"""Has been given the first pictures, receives the others in batches, and is over with the last one."""


def film_clip(
    batch: Sequence[Picture],
    span: Span,
    square: FixedSquare,
    recording: Recording,
    flac: Path | None,
    frames: Path,
    to: Path,
) -> Rest:
    """A folder of PNG files, which hold the film's own pixels, and an mp4 (H.264, AAC if there is sound).

    Args:
        batch: the first pictures of `span`.
        flac: the recording's sound.
        frames: an empty folder for the PNG files.
        to: the mp4; it is encoded from the planes that came out of the decoder, whose colours are not converted.

    Raises:
        ValueError: the pictures end before the span does, or leave one out.
    """
    import soundfile

    from phonoscope.media.encode import FilmWriter

    side, rate = square.side, recording.sample_rate if flac else 0
    with ExitStack() as stack:
        sound = stack.enter_context(soundfile.SoundFile(flac)) if flac else None
        if sound:
            sound.seek(span.samples(recording.fps, rate).start)
        film = stack.enter_context(FilmWriter(to, (side, side), recording.fps, rate))
        while film.frames < len(span):
            for picture in batch:
                if picture.frame != span.start + film.frames:
                    raise ValueError(f"{to.stem} needs frame {span.start + film.frames}, got {picture.frame}")
                (frames / picture_name(film.frames)).write_bytes(png(square.of(picture.rgb())))
                film.picture(picture.crop_yuv(square.matrix, (side, side), 0))
                if sound:
                    under = Span(picture.frame, picture.frame + 1).samples(recording.fps, rate)
                    film.sound(sound.read(under.stop - under.start, dtype="float32"))
            if film.frames < len(span):
                batch = yield
                if not batch:
                    raise ValueError(f"the film ended {len(span) - film.frames} frames before {to.stem} did")
