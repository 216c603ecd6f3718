"""The same film with another sound: its pictures as they are where a player takes them so, else encoded anew."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.packet import Packet

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.media import Clock, Recording
from phonoscope.core.time import sample_at
from phonoscope.media.encode import AAC_FRAME, FilmWriter
from phonoscope.media.probe import probe
from phonoscope.media.source import open_film
from phonoscope.media.video import decode

if TYPE_CHECKING:
    from soundfile import SoundFile

COPIED = ("h264", "hevc", "av1", "vp9")  # what players and browsers take in an mp4
BIT_RATE = 96_000  # of the AAC, bits a second
NEAR_S = Fraction(1, 1000)  # by which sound and picture of a copy may part; more, and it is encoded


def dub(film: Path, recording: Recording, clock: Clock, sound: Path, to: Path) -> bool:
    """An mp4 of the film with another sound (AAC), heard from its first picture on; whether the pictures are copies.

    They are copied packet by packet, or, where that is no mp4 that keeps time, encoded as H.264 on the recording's
    clock. `to` is written over; whoever calls sees to it that it appears whole.

    Args:
        sound: a mono file, as long as the recording; its rate is kept.

    Raises:
        RecordingFailed: the film cannot be opened or decoded.
    """
    import soundfile

    with soundfile.SoundFile(sound) as heard:
        with suppress(FFmpegError, ValueError):
            if _copied(film, clock, heard, to) and _keeps_time(to, recording, heard.samplerate):
                return True
        heard.seek(0)
        _encoded(film, recording, clock, heard, to)
    return False


def _copied(film: Path, clock: Clock, heard: "SoundFile", to: Path) -> bool:
    """Write the pictures' packets and the sound beside them; False if these are no pictures to be copied."""
    options = {"movflags": "+faststart", "fflags": "+bitexact", "use_editlist": "1"}
    with open_film(film) as source:
        if not source.trusted or source.video.codec_context.codec.canonical_name not in COPIED:
            return False
        shift, rate = round(int(clock.pts[0]) * clock.time_base / source.tick), int(heard.samplerate)
        with av.open(f"file:{to}", "w", format="mp4", options=options) as made:
            pictures = made.add_stream_from_template(source.video, opaque=True)
            voice = made.add_stream("aac", rate=rate)
            voice.bit_rate, voice.layout = BIT_RATE, "mono"
            for at, packet in timed(source.packets(source.video), shift):
                for frame in _frames(heard, round(at * source.tick * rate)):
                    made.mux(voice.encode(frame))
                packet.stream = pictures
                made.mux(packet)
            for frame in chain(_frames(heard, len(heard)), [None]):
                made.mux(voice.encode(frame))
    return True


def timed(packets: Iterator[Packet], shift: int = 0) -> Iterator[tuple[int, Packet]]:
    """Packets with all their times, `shift` ticks earlier, and when each is shown.

    When the first ones are to be decoded Matroska does not tell: a tick after each other.

    Raises:
        ValueError: of others, too, it is not told, or not when they are shown.
    """
    untold: list[tuple[int, Packet]] = []
    for packet in packets:
        if packet.pts is None:
            raise ValueError("a picture has no time")
        packet.pts, at = packet.pts - shift, packet.pts - shift
        if packet.dts is None:
            untold.append((at, packet))
            continue
        packet.dts = due = packet.dts - shift
        for early, (shown, earlier) in enumerate(untold):
            earlier.dts = min([due, *(it for it, _ in untold)]) - len(untold) + early
            yield shown, earlier
        untold.clear()
        yield at, packet
    if untold:
        raise ValueError("no picture tells when it is to be decoded")


def _keeps_time(made: Path, recording: Recording, sample_rate: int) -> bool:
    """Whether a film has the recording's size, as many frames on its clock, and sound and picture begin together."""
    try:
        found = probe(made, recording.fps, sample_rate)
    except RecordingFailed:
        return False
    size, wanted = (found.width // 2, found.height // 2), (recording.width // 2, recording.height // 2)
    return (found.num_frames, size) == (recording.num_frames, wanted) and abs(found.av_start) <= NEAR_S


def _encoded(film: Path, recording: Recording, clock: Clock, heard: "SoundFile", to: Path) -> None:
    size, rate = (recording.height // 2 * 2, recording.width // 2 * 2), heard.samplerate
    whole = np.eye(2, 3)
    with FilmWriter(to, size, recording.fps, rate, audio_bit_rate=BIT_RATE) as writer:
        for picture in decode(film, clock, [recording.span]):
            writer.picture(picture.crop_yuv(whole, size, 0))
            for block in _blocks(heard, sample_at(writer.frames, recording.fps, rate)):
                writer.sound(block)
        for block in _blocks(heard, len(heard)):
            writer.sound(block)


def _blocks(heard: "SoundFile", upto: int) -> Iterator[np.ndarray]:
    """The sound up to a sample, from where it was left, in blocks (≤ 1024,) float32."""
    while (left := min(upto, len(heard)) - heard.tell()) > 0:
        yield heard.read(min(left, AAC_FRAME), dtype="float32")


def _frames(heard: "SoundFile", upto: int) -> Iterator[AudioFrame]:
    for block in _blocks(heard, upto):
        frame = AudioFrame.from_ndarray(block[None], "fltp", "mono")
        frame.sample_rate, frame.time_base = heard.samplerate, Fraction(1, heard.samplerate)
        frame.pts = heard.tell() - len(block)
        yield frame
