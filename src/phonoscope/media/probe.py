"""What a film is: its clock, its sound, its size, and whatever is odd about it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.media import Clock
from phonoscope.core.time import sample_at
from phonoscope.media import notes
from phonoscope.media.clock import Stamps, clock_of, longest_run
from phonoscope.media.source import Film, decode_audio, decode_video, open_film
from phonoscope.media.timeline import Heard, Timeline
from phonoscope.media.upright import upright_of

TRIED = 48  # packets that may be decoded to see whether packets and frames agree
COMPARED = 8  # frames that suffice


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """All that is measured of a film before anything is done with it."""

    fps: Fraction  # of the clock
    num_frames: int
    width: int  # px, upright
    height: int  # px, upright
    clock: Clock
    sample_rate: int  # Hz; 0 if there is no sound
    num_samples: int
    av_start: Fraction  # s by which sound starts after picture in the source
    timeline: Timeline
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Scan:
    """What one pass over a film's packets tells."""

    pts: list[int] = field(default_factory=list)  # of packets whose pictures are shown
    last_duration: int = 0  # of the packet with the latest pts
    doubt: str = ""  # why packet times are not frame times; empty if they are
    frames: list[VideoFrame] = field(default_factory=list)  # the first that were decoded
    jumps_back: bool = False
    damaged: int = 0


def probe(path: Path, fps: Fraction, sample_rate: int) -> Probe:
    """A film's clock at `fps` and its sound at `sample_rate` Hz, measured in one pass over the file.

    Pictures are not decoded, but for the first few; unless their packets' times cannot be trusted.

    Raises:
        RecordingFailed: "missing", "unreadable" or "no-video".
    """
    with open_film(path) as film:
        scan, heard = _scan(film)
        size, streams, trusted = film.size, tuple(notes.of_streams(film)), film.trusted
        time_base = film.video.time_base
    assert time_base is not None
    doubt = scan.doubt or _doubt(scan)
    if doubt:
        _scan_frames(path, scan, fps * time_base)
    if not scan.frames or not scan.pts:
        raise RecordingFailed("no-video", f"{path.name} has a video stream, but no picture of it can be decoded")
    all_stamps = Stamps(np.array(scan.pts, np.int64), time_base, scan.last_duration)
    stamps, hole_s = longest_run(all_stamps)
    clock = clock_of(stamps, fps)
    first = scan.frames[0]
    upright = upright_of(first)
    width, height = upright.size(*(size if all(size) else (first.width, first.height)))
    timeline = heard.timeline(stamps.start) if heard else Timeline()
    num_samples = sample_at(len(clock), fps, sample_rate) if timeline.segments else 0
    return Probe(
        fps=fps,
        num_frames=len(clock),
        width=width,
        height=height,
        clock=clock,
        sample_rate=sample_rate if num_samples else 0,
        num_samples=num_samples,
        av_start=timeline.segments[0].start if timeline.segments else Fraction(0),
        timeline=timeline,
        notes=(
            *streams,
            *notes.of_frame(first, upright, size),
            *notes.of_clock(stamps, hole_s, scan.jumps_back, scan.damaged, doubt if trusted else ""),
            *notes.of_sound(timeline, Fraction(len(clock)) / fps),
        ),
    )


def _scan(film: Film) -> tuple[Scan, Heard | None]:
    """One pass over picture and sound."""
    scan, heard = Scan(), None
    streams = [film.video]
    if film.audio is not None and film.audio.time_base:
        heard = Heard(film.audio.time_base)
        streams.append(film.audio)
    trial = _Trial(film, scan)
    last_dts: int | None = None
    end: list[tuple[int, int]] = []
    for packet in chain(film.packets(*streams), [None]):
        if packet is None or packet.stream_index != film.video.index:
            if heard and film.audio and (packet is None or packet.stream_index == film.audio.index):
                _hear(heard, film, packet)
            continue
        if last_dts is not None and packet.dts is not None and packet.dts < last_dts:
            scan.jumps_back = True
        if scan.jumps_back:
            continue
        last_dts = packet.dts if packet.dts is not None else last_dts
        trial.see(packet)
        scan.damaged += packet.is_corrupt
        if packet.pts is None:
            scan.doubt = "packets without a time"
        elif not packet.is_discard and not _is_invisible(packet):
            end.append((packet.pts, packet.duration or 0))
    trial.finish()
    _order(scan, end)
    return scan, heard


def _hear(heard: Heard, film: Film, packet: Packet | None) -> None:
    assert film.audio is not None
    frames, damaged = decode_audio(film.audio, packet)
    if damaged:
        heard.lose()
    for frame in frames:
        heard.add(frame.pts, frame.samples, frame.sample_rate)


class _Trial:
    """Decodes the first few packets, until enough frames came out."""

    def __init__(self, film: Film, scan: Scan) -> None:
        self.film, self.scan, self.fed, self.over = film, scan, 0, False

    def see(self, packet: Packet) -> None:
        if self.over:
            return
        frames, damaged = decode_video(self.film.video, packet)
        if damaged and not self.scan.frames:
            self.scan.doubt = "its first pictures cannot be decoded"
        self.scan.frames += frames
        self.fed += 1
        if self.fed >= TRIED or len(self.scan.frames) >= COMPARED:
            self.over = True

    def finish(self) -> None:
        """The film is over before enough was seen: take what is still inside the decoder."""
        if not self.over:
            self.scan.frames += decode_video(self.film.video, None)[0]


def _is_invisible(packet: Packet) -> bool:
    """Whether a VP8 packet only refreshes a reference and shows nothing (RFC 6386, 9.1: the show_frame bit)."""
    return packet.stream.codec_context.name in ("vp8", "libvpx") and not bytes(memoryview(packet)[:1])[0] & 0x10


def _order(scan: Scan, shown: list[tuple[int, int]]) -> None:
    """Put the pictures in order of showing."""
    shown.sort()
    scan.pts = [pts for pts, _ in shown]
    if len(set(scan.pts)) < len(scan.pts):
        scan.doubt = scan.doubt or "pictures with the same time"
    scan.last_duration = shown[-1][1] if shown else 0


def _doubt(scan: Scan) -> str:
    """Why the first frames are not what the packets say, or nothing."""
    decoded = [frame.pts for frame in scan.frames]
    if not decoded:
        return "its first pictures cannot be decoded"
    return "" if decoded == scan.pts[: len(decoded)] else "packets and pictures disagree about time"


def frame_times(frames: Iterator[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
    """Frames with their times; one without takes its decoding time, or follows the one before it by its duration."""
    last = None
    for frame in frames:
        at = frame.pts if frame.pts is not None else frame.dts
        if at is None:
            at = 0 if last is None else last + max(1, frame.duration)
        last = at
        yield at, frame


def _scan_frames(path: Path, scan: Scan, ticks: Fraction) -> None:
    """Take the times of the pictures from the pictures themselves, by decoding them all."""
    times: list[int] = []
    with open_film(path) as film:
        frames = (
            frame for packet in chain(film.packets(film.video), [None]) for frame in decode_video(film.video, packet)[0]
        )
        for at, frame in frame_times(frames):
            if not times:
                scan.frames = [frame]
            if not times or at > times[-1]:
                times.append(at)
                scan.last_duration = frame.duration
            elif at < times[-1] and scan.jumps_back:
                break
    scan.pts = times
