"""Opening a film for reading: which of its streams we use, and what makes it no film at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from phonoscope.core.errors import RecordingFailed

STILLS = ("image2", "tty")  # FFmpeg opens single pictures and plain text as if they were film
SEEKABLE = ("mov,mp4", "matroska,webm", "flv", "mpegts")  # containers that give every packet its own timestamp


@dataclass(frozen=True, slots=True)
class Film:
    """An open film: its container, and the streams of it that we use."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the stored picture, px, before rotation."""
        return self.video.codec_context.width, self.video.codec_context.height

    @property
    def trusted(self) -> bool:
        """Whether packet times are frame times, so that groups of pictures may be skipped."""
        return self.container.format.name.startswith(SEEKABLE)

    def packets(self, *streams: VideoStream | AudioStream) -> Iterator[Packet]:
        """The packets of these streams as they lie in the file, up to the end or to where the file breaks off.

        Empty packets are left out: to a decoder they would mean the end.
        """
        try:
            for packet in self.container.demux(*streams):
                if packet.size:
                    yield packet
        except av.error.FFmpegError:
            return  # whoever counts on more notices by the timestamps


@contextmanager
def open_film(path: Path) -> Iterator[Film]:
    """A film, open for reading, closed at the end.

    Raises:
        RecordingFailed: "missing", "unreadable" or "no-video".
    """
    if not path.exists():
        raise RecordingFailed("missing", f"there is no file {path}")
    if not path.is_file():
        raise RecordingFailed("unreadable", f"{path} is not a file")
    try:
        # "file:" keeps names such as "a:b.mp4" from being taken for protocols; nothing else may be fetched
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise RecordingFailed("unreadable", f"{path.name} cannot be opened as a film: {_reason(error)}") from error
    with container:
        yield _film(container, path.name)


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
    return Film(container, pictures[0], sounds[0] if sounds else None)


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
    except av.error.FFmpegError:
        return [], True


def decode_audio(stream: AudioStream, packet: Packet | None) -> tuple[list[AudioFrame], bool]:
    """Like `decode_video`, for sound."""
    try:
        return [frame for frame in stream.codec_context.decode(packet) if frame.samples], False
    except av.error.FFmpegError:
        return [], True
