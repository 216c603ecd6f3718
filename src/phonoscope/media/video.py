"""The pictures of a film on its recording's clock: in sequence, or anywhere."""

from collections import deque
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.media import Clock
from phonoscope.core.time import Span
from phonoscope.media.groups import Gap, needed
from phonoscope.media.picture import Picture, Shown
from phonoscope.media.source import Film, decode_video, open_film
from phonoscope.media.upright import upright_of

__all__ = ["DecodeCount", "Picture", "decode", "frames"]


@dataclass(slots=True)
class DecodeCount:
    """What a decode did; it counts on while it runs."""

    decoded: int = 0  # pictures that the decoder gave
    shown: int = 0  # ticks of the clock that were shown
    missing: int = 0  # of these, how many had to show a neighbour, since their own picture never came
    damaged: int = 0  # packets that could not be decoded


def decode(path: Path, clock: Clock, spans: Sequence[Span], count: DecodeCount | None = None) -> Iterator[Picture]:
    """The pictures under sorted, separate spans of the clock, in order, none of them decoded twice.

    Groups of pictures in which nothing is wanted are read but not decoded. A picture that never comes is shown
    as the last one before it, or the next if there is none, and counted in `count.missing`.

    Raises:
        RecordingFailed: "missing", "unreadable" or "no-video", also if not one picture can be decoded.
    """
    count = DecodeCount() if count is None else count
    ticks = np.concatenate([np.arange(span.start, span.stop) for span in spans]) if spans else np.zeros(0, np.int64)
    if not len(ticks):
        return
    with open_film(path) as film:
        packets = film.packets(film.video)
        if film.trusted and len(ticks) < len(clock):
            packets = needed(packets, clock.pts[ticks])
        wanted = frozenset(clock.pts[ticks].tolist()) if film.sparing else None
        yield from _shown(film, _decoded(film, packets, count, wanted), clock, ticks, count)


def frames(path: Path, clock: Clock, span: Span) -> np.ndarray:
    """All pictures of a span, (T, H, W, 3) uint8 RGB, as `decode` would show them, but found by seeking.

    Raises:
        RecordingFailed: as `decode`.
    """
    ticks = np.arange(span.start, span.stop)
    first = int(clock.pts[span.start])
    with open_film(path) as film:
        back = 0
        while film.trusted and first - back > int(clock.pts[0]):
            count = DecodeCount()
            packets = _from(film, first - back)
            key = next(packets, None) if packets is not None else None
            if packets is None or key is None:
                break
            if key.pts is not None and key.pts <= first:
                run = _decoded(film, chain([Gap(key.pts), key], packets), count)
                made = [picture.rgb() for picture in _shown(film, run, clock, ticks, count)]
                if not count.missing and not count.damaged:
                    return np.stack(made)
                break
            back = 2 * back + max(1, int(1 / film.tick))
    whole = decode(path, clock, [Span(0, span.stop)])
    return np.stack([picture.rgb() for picture in whole if picture.frame >= span.start])


def _from(film: Film, pts: int) -> Iterator[Packet] | None:
    """Packets from a keyframe on that should not lie after `pts`; None if the film cannot be sought in."""
    try:
        film.container.seek(pts, stream=film.video)
    except FFmpegError:
        return None
    return _from_key(film.packets(film.video))


def _from_key(packets: Iterator[Packet]) -> Iterator[Packet]:
    for packet in packets:
        if packet.is_keyframe:
            yield packet
            break
    yield from packets


def _decoded(
    film: Film, packets: Iterable[Packet | Gap], count: DecodeCount, wanted: Container[int] | None = None
) -> Iterator[tuple[int, VideoFrame]]:
    """Frames with their times, in order of showing.

    Args:
        wanted: times; pictures of other times that no picture leans on may be left out. None: all are wanted.
    """
    floor: int | None = None
    last: int | None = None
    for packet in chain(packets, [None]):
        if wanted is not None and isinstance(packet, Packet):
            spare = packet.pts is not None and packet.pts not in wanted
            film.video.codec_context.skip_frame = "NONREF" if spare else "DEFAULT"
        made, damaged = decode_video(film.video, None if isinstance(packet, Gap) else packet)
        count.damaged += damaged
        for frame in made:
            count.decoded += 1
            last = at = film.time_of(frame, last)
            if floor is None or at >= floor:
                yield at, frame
        if isinstance(packet, Gap):
            # leading pictures of an open group lean on a group that was left out: what comes out is not them
            floor = packet.key_pts
            film.video.codec_context.flush_buffers()


def _shown(
    film: Film, decoded: Iterator[tuple[int, VideoFrame]], clock: Clock, ticks: np.ndarray, count: DecodeCount
) -> Iterator[Picture]:
    """A picture a tick, in order."""
    before: Shown | None = None
    upright, size = None, (0, 0)
    wanted = deque(zip(ticks.tolist(), clock.pts[ticks].tolist(), strict=True))
    for at, frame in decoded:
        if upright is None:
            upright, size = upright_of(frame), film.size_beside(frame)
        this = Shown(frame, size, upright)
        while wanted and wanted[0][1] <= at:
            tick, pts = wanted.popleft()
            count.shown += 1
            count.missing += pts != at
            yield Picture(tick, this if pts == at or before is None else before)
        if not wanted:
            return
        before = this
    if before is None:
        raise RecordingFailed("no-video", "no picture of the film can be decoded")
    for tick, _ in wanted:
        count.shown += 1
        count.missing += 1
        yield Picture(tick, before)
