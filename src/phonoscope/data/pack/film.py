"""A clip's pictures, as numbered PNG files and as a film with its sound."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from phonoscope.core.media import Picture, Recording
from phonoscope.core.time import Span
from phonoscope.data.pack.formats import picture_name
from phonoscope.data.pack.png import png
from phonoscope.data.pack.square import FixedSquare
from phonoscope.flow.streams import Look, LookFailed, look
from phonoscope.store.recording import StoredRecording

HELD = 4  # whole pictures in true colour at a time: no more are needed, and they are large

Rest = Generator[None, Sequence[Picture], None]
"""Has been given the first pictures, receives the others in batches, and is over with the last one."""


def film_clip(
    batch: Sequence[Picture],
    span: Span,
    square: FixedSquare,
    recording: Recording,
    flac: Path | None,
    frames: Path | None,
    to: Path,
    size: int = 0,
) -> Rest:
    """A folder of PNG files, which hold the film's own pixels, and an mp4 (H.264, AAC if there is sound).

    Args:
        batch: the first pictures of `span`.
        flac: the recording's sound.
        frames: an empty folder for the PNG files; None: there are to be none.
        to: the mp4; it is encoded from the planes that came out of the decoder, whose colours are not converted.
        size: px, side of the mp4; 0: that of the square, whose pixels are then the film's own.

    Raises:
        ValueError: the pictures end before the span does, or leave one out.
    """
    import soundfile

    from phonoscope.media.encode import FilmWriter

    size, rate = size or square.side, recording.sample_rate if flac else 0
    with ExitStack() as stack:
        sound = stack.enter_context(soundfile.SoundFile(flac)) if flac else None
        if sound:
            sound.seek(span.samples(recording.fps, rate).start)
        film = stack.enter_context(FilmWriter(to, (size, size), recording.fps, rate))
        while film.frames < len(span):
            for picture in batch:
                if picture.frame != span.start + film.frames:
                    raise ValueError(f"{to.stem} needs frame {span.start + film.frames}, got {picture.frame}")
                if frames:
                    (frames / picture_name(film.frames)).write_bytes(png(square.of(picture.rgb())))
                film.picture(picture.crop_yuv(square.at(size), (size, size), 0))
                if sound:
                    under = Span(picture.frame, picture.frame + 1).samples(recording.fps, rate)
                    film.sound(sound.read(under.stop - under.start, dtype="float32"))
            if film.frames < len(span):
                batch = yield
                if not batch:
                    raise ValueError(f"the film ended {len(span) - film.frames} frames before {to.stem} did")


def watch(stored: StoredRecording, lookers: Mapping[str, Look[None]]) -> tuple[str, ...]:
    """One decode of a recording's film for all that look at it; gives what was odd about it.

    Raises:
        Exception: what went wrong in a look, or in the film.
    """
    from phonoscope.media.video import DecodeCount, decode

    count = DecodeCount()
    if lookers:
        try:
            look(partial(decode, stored.source, stored.clock, count=count), lookers, batch_size=HELD)
        except LookFailed as error:
            raise error.__cause__ or error from None
    lost = f"{count.missing} frames could not be decoded: a neighbour stands for each"
    return (lost,) if count.missing else ()
