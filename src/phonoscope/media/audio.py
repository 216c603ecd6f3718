"""The sound of a film on the clock of its pictures."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
import soxr
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from phonoscope.media.source import decode_audio, open_film
from phonoscope.media.timeline import Segment, Timeline

BLOCK = 1 << 16  # samples at most in a block that is read


def read_audio(path: Path, timeline: Timeline, num_samples: int, sample_rate: int) -> Iterator[np.ndarray]:
    """Exactly `num_samples` of sound, in blocks (n,) float32 in [-1, 1].

    Sample i is heard i/sample_rate seconds after the first picture is shown.
    Channels are mixed to one with FFmpeg's weights, scaled so that they sum to one. Holes are silent, overlaps
    are cut from the later part, drift is resampled away, the ends are cut or padded. Memory stays constant.

    Raises:
        RecordingFailed: the film cannot be opened.
    """
    done = 0
    for at, block in _placed(path, timeline, sample_rate):
        late = block[max(0, done - at) :]
        at = max(at, done)
        if at >= num_samples:
            if at > num_samples + 3600 * sample_rate:
                break
            continue
        if len(late):
            yield from _silence(at - done)
            yield late[: num_samples - at]
            done = min(num_samples, at + len(late))
        if done == num_samples:
            return
    yield from _silence(num_samples - done)


def _silence(samples: int) -> Iterator[np.ndarray]:
    while samples > 0:
        yield np.zeros(min(samples, BLOCK), np.float32)
        samples -= BLOCK


def _placed(path: Path, timeline: Timeline, sample_rate: int) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks at the target rate, each with the number of its first sample, which may be negative."""
    mono = _Samples(_mono(path))
    for segment in timeline.segments:
        at = round(segment.start * sample_rate)
        for block in at_rate(mono.take(segment), segment.true_rate, sample_rate):
            yield at, np.clip(block, -1, 1)
            at += len(block)


def at_rate(blocks: Iterator[np.ndarray], source: Fraction, target: int) -> Iterator[np.ndarray]:
    """Blocks (n,) float32 at another rate; the resampler takes its own delay out."""
    if source == target:
        yield from blocks
        return
    stream = soxr.ResampleStream(float(source), target, 1, dtype="float32", quality="HQ")
    for block in blocks:
        if len(made := stream.resample_chunk(np.ascontiguousarray(block))):
            yield made
    if len(made := stream.resample_chunk(np.zeros(0, np.float32), last=True)):
        yield made


class _Samples:
    """Samples in order of decoding, taken segment by segment."""

    def __init__(self, blocks: Iterator[np.ndarray]) -> None:
        self.blocks = blocks
        self.rest = np.zeros(0, np.float32)
        self.at = 0  # number of the first sample of `rest`

    def take(self, segment: Segment) -> Iterator[np.ndarray]:
        """The samples of a segment, in blocks; fewer if the film gives fewer than it did."""
        stop = segment.first + segment.samples
        while self.at < stop:
            if not len(self.rest):
                block = next(self.blocks, None)
                if block is None:
                    return
                self.rest = block
            size = min(stop - self.at, len(self.rest))
            yield self.rest[max(0, segment.first - self.at) : size]
            self.rest = self.rest[size:]
            self.at += size


def _mono(path: Path) -> Iterator[np.ndarray]:
    """All the sound that can be decoded, one channel, at its own rate, in blocks (n,) float32."""
    with open_film(path) as film:
        stream = film.audio
        if stream is None:
            return
        mixers: dict[tuple[str, str, int], AudioResampler] = {}
        for packet in chain(film.packets(stream), [None]):
            for frame in decode_audio(stream, packet)[0]:
                yield mix(frame, mixers)


def mix(frame: AudioFrame, mixers: dict[tuple[str, str, int], AudioResampler]) -> np.ndarray:
    """One channel, (n,) float32, of a decoded frame; a mixer a format, since formats may change in mid-stream."""
    kind = (frame.format.name, frame.layout.name, frame.sample_rate)
    if kind not in mixers:
        # weights that sum to one: as FFmpeg has it by default, two loud channels would overflow
        options = {"rematrix_maxval": "1"}
        mixers[kind] = AudioResampler(format="fltp", layout="mono", rate=frame.sample_rate, options=options)
    frame.pts = None  # the mixer must not mend timestamps: the timeline does
    blocks = [made.to_ndarray()[0] for made in mixers[kind].resample(frame)]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
