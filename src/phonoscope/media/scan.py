"""One pass over a film: when its pictures are shown and its sound is heard."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.frame import VideoFrame

from phonoscope.media.clock import Stamps
from phonoscope.media.edits import slip
from phonoscope.media.source import JUMP_S, Film, decode_audio, decode_video, open_film
from phonoscope.media.timeline import Heard

TRIED = 48  # packets that may be decoded to see whether packets and frames agree
COMPARED = 8  # frames that suffice


@dataclass(slots=True)
class Seen:
    """What the pictures of a film told."""

    time_base: Fraction
    pts: list[int] = field(default_factory=list)  # of the pictures that are shown, increasing
    last_duration: int = 0  # of the last picture, 0 if unknown
    starts_at: int | None = None  # when the first is shown, where that is not its pts
    first: VideoFrame | None = None  # the first that was decoded
    doubt: str = ""  # why packet times are not frame times; empty if they are
    jumps_back: bool = False
    damaged: int = 0  # packets
    lacking_s: Fraction = Fraction(0)  # by which the file ends before its header says it does

    @property
    def stamps(self) -> Stamps:
        """The times of the pictures."""
        return Stamps(np.array(self.pts, np.int64), self.time_base, self.last_duration)


def scan(path: Path, film: Film) -> tuple[Seen, Heard | None]:
    """Times of pictures, from their packets if these can be trusted, and times of decoded sound.

    A container that gives every packet its own time is read once, and but a few pictures are decoded.
    """
    seen, heard = Seen(film.tick), None
    if film.audio is not None and film.audio.time_base:
        heard = Heard(film.audio.time_base)
    trial = _Trial(film)
    times = _Times(seen)
    for packet in film.packets(*((film.video, film.audio) if film.audio and heard else (film.video,))):
        if packet.pts is not None:
            times.end_s = max(times.end_s, (packet.pts + (packet.duration or 0)) * packet.time_base)
        if packet.stream_index == film.video.index:
            times.add(packet)
            trial.add(packet)
        elif heard and film.audio:
            _hear(heard, film.audio, packet)
    if heard and film.audio:
        _hear(heard, film.audio, None)
    frames = trial.finish()
    seen.first = frames[0] if frames else None
    times.finish(film)
    seen.doubt = seen.doubt or _doubt(film, frames, seen)
    if seen.doubt:
        _scan_pictures(path, seen)
    elif times.hidden and len(seen.pts) > 1:
        step = int(np.diff(seen.pts[:COMPARED]).max())
        seen.starts_at = seen.pts[0] + slip(path, times.positions, step)
    return seen, heard


def _hear(heard: Heard, stream: AudioStream, packet: Packet | None) -> None:
    frames, damaged = decode_audio(stream, packet)
    if damaged:
        heard.lose()
    for frame in frames:
        heard.add(frame.pts, frame.samples, frame.sample_rate)


class _Trial:
    """Decodes the first few packets, until enough frames came out."""

    def __init__(self, film: Film) -> None:
        self.film, self.fed, self.over = film, 0, False
        self.frames: list[VideoFrame] = []

    def add(self, packet: Packet) -> None:
        """Decode one more packet, if need be."""
        if not self.over:
            self.frames += decode_video(self.film.video, packet)[0]
            self.fed += 1
            self.over = self.fed >= TRIED or len(self.frames) >= COMPARED

    def finish(self) -> list[VideoFrame]:
        """The first frames; of a short film also those that are still inside the decoder."""
        if not self.over:
            self.frames += decode_video(self.film.video, None)[0]
        return self.frames


class _Times:
    """Collects the times of video packets."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.shown: list[tuple[int, int]] = []  # pts and duration
        self.positions: dict[int, int] = {}  # of the first shown packets: byte in the file -> pts
        self.hidden = False  # an edit list hides some
        self.dts: int | None = None
        self.end_s = Fraction(0)  # of all packets, seen or heard
        self.jump = int(JUMP_S / seen.time_base)

    def add(self, packet: Packet) -> None:
        """Note a packet; all that comes after a jump back in time is left out."""
        if self.dts is not None and packet.dts is not None:
            self.seen.jumps_back |= packet.dts < self.dts - self.jump
        if self.seen.jumps_back:
            return
        self.dts = packet.dts if packet.dts is not None else self.dts
        self.seen.damaged += packet.is_corrupt
        if packet.pts is None:
            self.seen.doubt = "packets without a time"
            return
        duration = packet.duration or 0
        self.hidden |= packet.is_discard
        if not packet.is_discard and not _is_invisible(packet):
            self.shown.append((packet.pts, duration))
            if len(self.positions) < COMPARED and packet.pos is not None:
                self.positions[packet.pos] = packet.pts

    def finish(self, film: Film) -> None:
        """Put the pictures in order of showing."""
        self.shown.sort()
        self.seen.pts = [pts for pts, _ in self.shown]
        if len(set(self.seen.pts)) < len(self.seen.pts):
            self.seen.doubt = self.seen.doubt or "pictures with the same time"
        self.seen.last_duration = self.shown[-1][1] if self.shown else 0
        if film.container.duration is not None:
            promised = Fraction((film.container.start_time or 0) + film.container.duration, av.time_base)
            self.seen.lacking_s = promised - self.end_s


def _is_invisible(packet: Packet) -> bool:
    """Whether a VP8 packet only refreshes a reference and shows nothing (RFC 6386, 9.1: the show_frame bit)."""
    return packet.stream.codec_context.name in ("vp8", "libvpx") and not memoryview(packet)[0] & 0x10


def _doubt(film: Film, frames: list[VideoFrame], seen: Seen) -> str:
    """Why the packets' times are not those of the frames, or nothing."""
    if not film.trusted:
        return "a container without a time for each picture"
    if not frames:
        return "the first pictures cannot be decoded"
    decoded = [frame.pts for frame in frames]
    return "" if decoded == seen.pts[: len(decoded)] else "packets and pictures disagree about time"


def _frames(film: Film) -> Iterator[VideoFrame]:
    for packet in chain(film.packets(film.video), [None]):
        yield from decode_video(film.video, packet)[0]


def _scan_pictures(path: Path, seen: Seen) -> None:
    """Take the times of the pictures from the pictures themselves, by decoding them all."""
    seen.pts, last = [], None
    with open_film(path) as film:
        for frame in _frames(film):
            last = film.time_of(frame, last)
            if not seen.pts:
                seen.first = frame
            if not seen.pts or last > seen.pts[-1]:
                seen.pts.append(last)
                seen.last_duration = frame.duration
            elif last < seen.pts[-1] - JUMP_S / seen.time_base:
                seen.jumps_back = True
                break
        if film.container.format.name == "avi":
            seen.starts_at = film.video.start_time or 0  # players show the first picture at once
