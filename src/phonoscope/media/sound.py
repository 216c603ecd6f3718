"""The sound of any file that has some, with pictures or without."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, groupby
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from phonoscope.core.errors import RecordingFailed
from phonoscope.media.audio import at_rate, mix, read_audio
from phonoscope.media.probe import probe
from phonoscope.media.source import decode_audio, open_media, usable_video


@dataclass(frozen=True, slots=True)
class Listened:
    """A file that can be listened to."""

    path: Path
    duration_s: float  # as its header tells, s; 0 if it does not
    film: bool  # it has pictures, on whose clock the sound is heard


def listened(path: Path) -> Listened:
    """A file with sound in it, as far as its header tells.

    Raises:
        RecordingFailed: "missing" or "unreadable": it cannot be opened, or there is no sound in it.
    """
    with open_media(path) as container:
        _stream(container, path)
        return Listened(path, (container.duration or 0) / av.time_base, any(map(usable_video, container.streams.video)))


def read_sound(path: Path, sample_rate: int) -> Iterator[np.ndarray]:
    """All its sound, in blocks (n,) float32 in [-1, 1], one channel; memory stays constant.

    Of a film as `read_audio` has it: from the first picture to the last. Without pictures, from the first sample that
    can be decoded to the last; what is damaged is left out.

    Raises:
        RecordingFailed: "missing" or "unreadable": it cannot be opened, or nothing in it can be heard.
    """
    samples = 0
    for block in _of_film(path, sample_rate) if listened(path).film else _decoded(path, sample_rate):
        samples += len(block)
        yield block
    if not samples:
        raise RecordingFailed("unreadable", f"{path.name} has no sound: not one sample can be decoded")


def _of_film(path: Path, sample_rate: int) -> Iterator[np.ndarray]:
    try:
        found = probe(path, None, sample_rate)
    except RecordingFailed as error:
        if error.reason != "no-video":
            raise
        return _decoded(path, sample_rate)
    return read_audio(path, found.timeline, found.num_samples, sample_rate)


def _decoded(path: Path, sample_rate: int) -> Iterator[np.ndarray]:
    """The sound as it comes out of the decoder, at another rate."""
    with open_media(path) as container:
        blocks = _blocks(container, _stream(container, path))
        for rate, run in groupby(blocks, key=lambda it: it[0]):
            for block in at_rate((block for _, block in run), Fraction(rate), sample_rate):
                yield np.clip(np.nan_to_num(block), -1, 1)


def _blocks(container: InputContainer, stream: AudioStream) -> Iterator[tuple[int, np.ndarray]]:
    """Samples a second, and one channel of so many as a decoded frame holds."""
    mixers: dict[tuple[str, str, int], AudioResampler] = {}
    packets = container.demux(stream)
    try:
        for packet in chain((packet for packet in packets if packet.size), [None]):
            for frame in decode_audio(stream, packet)[0]:
                yield frame.sample_rate, mix(frame, mixers)
    except FFmpegError:
        return  # the file breaks off: what came before is heard


def _stream(container: InputContainer, path: Path) -> AudioStream:
    sounds = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not sounds:
        raise RecordingFailed("unreadable", f"{path.name} has no sound that can be decoded")
    sounds[0].codec_context.thread_type = "NONE"
    sounds[0].codec_context.thread_count = 1  # the same bytes everywhere, and no hidden cores
    return sounds[0]
