"""Opening a film for reading: which of its streams we use, and what makes it no film at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from phonoscope.core.errors import RecordingFailed

STILLS = ("image2", "tty")  # FFmpeg opens single pictures and plain text as if they were film
SEEKABLE = ("mov,mp4", "matroska,webm", "flv", "mpegts")  # containers that give every packet its own timestamp
WHOLE = 1  # FFmpeg's number for pictures that are not made of two fields
JUMP_S = Fraction(1, 2)  # by which times may go back without being taken for those of another film


@dataclass(frozen=True, slots=True)
class Film:
    """An open film: its container, and the streams of it that we use."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    size: tuple[int, int]  # width and height that the header tells, px, before rotation; (0, 0) if it does not
    broken: list[str] = field(default_factory=list)  # why reading ended before the file did

    def size_beside(self, frame: VideoFrame) -> tuple[int, int]:
        """Width and height at which all its pictures are shown, px; that of `frame` if the header tells none."""
        return self.size if all(self.size) else (frame.width, frame.height)

    @property
    def trusted(self) -> bool:
        """Whether packet times are frame times, so that groups of pictures may be skipped."""
        return self.container.format.name.startswith(SEEKABLE)

    @property
    def sparing(self) -> bool:
        """Whether the decoder can leave single pictures out that no other leans on.

        A packet must hold a whole picture for that: in H.264 that is not progressive it may be but one of two fields.
        """
        context = self.video.codec_context
        return self.trusted and (context.name == "hevc" or (context.name == "h264" and context.field_order == WHOLE))

    @property
    def tick(self) -> Fraction:
        """The unit of the pictures' timestamps, s."""
        if not self.video.time_base:
            raise RecordingFailed("unreadable", "the film's video stream has no unit of time")
        return self.video.time_base

    def time_of(self, frame: VideoFrame, last: int | None) -> int:
        """When a decoded frame is shown; one without a time follows the one before it, which was shown at `last`.

        AVI stores no such times, and what FFmpeg makes up for B-frames is wrong: there the order is the time.
        MPEG program streams time but a packet here and there, and FFmpeg may hand such a time to a neighbour: there
        no picture comes before the last one, unless the clock itself jumps back.
        """
        kind = self.container.format.name
        at = frame.dts if kind == "avi" or frame.pts is None else frame.pts
        if at is None:
            return 0 if last is None else last + max(1, frame.duration)
        if kind == "mpeg" and last is not None and last - JUMP_S / self.tick < at <= last:
            return last + max(1, frame.duration)
        return at

    def packets(self, *streams: VideoStream | AudioStream) -> Iterator[Packet]:
        """The packets of these streams as they lie in the file, up to the end or to where the file breaks off.

        Empty packets are left out: to a decoder they would mean the end.
        """
        try:
            for packet in self.container.demux(*streams):
                if packet.size:
                    yield packet
        except FFmpegError as error:
            self.broken.append(_reason(error))  # what came before is kept, and the probe says so


@contextmanager
def open_film(path: Path, options: dict[str, str] | None = None) -> Iterator[Film]:
    """A film, open for reading, closed at the end.

    Args:
        options: of FFmpeg's demuxer.

    Raises:
        RecordingFailed: "missing", "unreadable" or "no-video".
    """
    with open_media(path, options) as container:
        yield _film(container, path.name)


@contextmanager
def open_media(path: Path, options: dict[str, str] | None = None) -> Iterator[InputContainer]:
    """Whatever FFmpeg can open, closed at the end.

    Args:
        options: of FFmpeg's demuxer.

    Raises:
        RecordingFailed: "missing" or "unreadable".
    """
    if not path.exists():
        raise RecordingFailed("missing", f"there is no file {path}")
    if not path.is_file():
        raise RecordingFailed("unreadable", f"{path} is not a file")
    try:
        # "file:" keeps names such as "a:b.mp4" from being taken for protocols; nothing else may be fetched
        only_files = {"protocol_whitelist": "file", **(options or {})}
        container = av.open(f"file:{path}", options=only_files, metadata_errors="replace")
    except (FFmpegError, OSError) as error:
        raise RecordingFailed("unreadable", f"{path.name} cannot be opened: {_reason(error)}") from error
    with container:
        yield container


def _film(container: InputContainer, name: str) -> Film:
    if container.format.name in STILLS or container.format.name.endswith("_pipe"):
        raise RecordingFailed("no-video", f"{name} is a still picture or a text, not a film")
    pictures = [s for s in container.streams.video if usable_video(s)]
    sounds = [s for s in container.streams.audio if s.codec_context is not None]
    if not pictures:
        raise RecordingFailed("no-video", f"{name} has no video stream that can be decoded")
    for stream in (*pictures[:1], *sounds[:1]):  # one thread: the same bytes everywhere, and no hidden cores
        stream.codec_context.thread_type = "NONE"
        stream.codec_context.thread_count = 1
    context = pictures[0].codec_context  # its size changes as it decodes: take it now
    return Film(container, pictures[0], sounds[0] if sounds else None, (context.width, context.height))


def usable_video(stream: VideoStream) -> bool:
    """Whether a video stream is film: decodable, and not the picture on a record's cover."""
    cover = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    return stream.codec_context is not None and not stream.disposition & cover


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def decode_video(stream: VideoStream, packet: Packet | None) -> tuple[list[VideoFrame], bool]:
    """Frames that come out when a packet goes in (None: all that are still inside), and whether it was damaged."""
    try:
        return [frame for frame in stream.codec_context.decode(packet) if frame.width and frame.height], False
    except FFmpegError:
        return [], True


def decode_audio(stream: AudioStream, packet: Packet | None) -> tuple[list[AudioFrame], bool]:
    """Like `decode_video`, for sound."""
    try:
        return [frame for frame in stream.codec_context.decode(packet) if frame.samples], False
    except FFmpegError:
        return [], True
