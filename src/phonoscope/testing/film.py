"""Films whose truth is known: a white flash and a beep at the same instants, written in every awkward way."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

BEEP_HZ = 1000
BEEP_S = Fraction(1, 10)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a flash-and-beep film holds; times in seconds on the film's own clock, before any shift."""

    pts_s: tuple[Fraction, ...]  # when each picture is shown
    white: tuple[bool, ...]  # which of them are white
    beeps_s: tuple[Fraction, ...]  # when each beep begins: exactly when its white picture is shown


def steady_times(fps: Fraction, duration_s: Fraction) -> list[Fraction]:
    """When the pictures of a film of one rate are shown, s."""
    return [k / fps for k in range(round(duration_s * fps))]


def wavering_times(duration_s: Fraction, seed: int = 0, longest_ms: int = 90) -> list[Fraction]:
    """When the pictures of a film of variable rate are shown, s: steps of 10 ms to the longest."""
    steps = np.random.default_rng(seed).integers(10, longest_ms + 1, 1 + round(duration_s * 100))
    at = np.concatenate([[0], np.cumsum(steps)])
    return [Fraction(int(ms), 1000) for ms in at if ms < duration_s * 1000]


def flash_and_beep(
    path: Path,
    *,
    fps: Fraction | None = Fraction(25),
    duration_s: Fraction = Fraction(4),
    events_s: Sequence[Fraction] = (Fraction(1), Fraction(5, 2)),
    size: tuple[int, int] = (64, 96),
    video_codec: str = "libx264",
    video_options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    audio_codec: str = "aac",
    sample_rate: int = 48000,
    b_frames: int = 0,
    gop: int = 12,
    video_late_s: Fraction = Fraction(0),
    audio_late_s: Fraction = Fraction(0),
    rotation_deg: int = 0,
    drift: Fraction = Fraction(0),
    silence_lost_s: tuple[Fraction, Fraction] | None = None,
    time_base: Fraction | None = None,
    times_s: Sequence[Fraction] | None = None,
) -> Truth:
    """A film of dark, numbered pictures that turns white for 0.1 s, with a beep that begins together with each flash.

    Args:
        fps: None for a variable rate.
        events_s: a flash begins at the first picture at or after each.
        video_late_s: shifts all pictures' timestamps, and what is true with them.
        audio_late_s: when the sound begins; the beeps stay with the flashes.
        drift: the sound's clock runs fast by this much; its timestamps tell the truth.
        size: (h, w) px of the upright picture.
        rotation_deg: a multiple of 90; pictures are stored turned, and stand upright once turned left by so much.
        silence_lost_s: packets of sound from here to there are not written.
        times_s: when each picture is shown, instead of `fps`.
    """
    times = list(times_s) if times_s else steady_times(fps, duration_s) if fps else wavering_times(duration_s)
    starts = [next(t for t in times if t >= event) for event in events_s]
    white = [any(start <= t < start + BEEP_S for start in starts) for t in times]
    tick = time_base or (1 / fps if fps else Fraction(1, 1000))
    with av.open(f"file:{path}", "w", options={"fflags": "+bitexact"}) as film:
        turns = rotation_deg // 90 % 4
        stored = (size[1], size[0]) if turns % 2 else size
        video = _add_video(film, stored, fps or Fraction(25), tick, video_codec, pix_fmt, b_frames, gop, video_options)
        audio = film.add_stream(audio_codec, rate=sample_rate)
        if not isinstance(audio, AudioStream):
            raise ValueError(f"'{audio_codec}' is no sound codec")
        audio.layout = "mono"
        if rotation_deg:
            video.set_display_rotation(rotation_deg)
        _write_pictures(film, video, [t + video_late_s for t in times], white, size, turns, tick)
        beeps = [start + video_late_s for start in starts]
        sound = beep_track(beeps, float(duration_s + video_late_s - audio_late_s), sample_rate, audio_late_s, drift)
        _write_sound(film, audio, sound, audio_late_s, drift, silence_lost_s)
    shown = tuple(t + video_late_s for t in times)
    return Truth(shown, tuple(white), tuple(beeps))


def beep_track(
    beeps_s: Sequence[Fraction],
    length_s: float,
    sample_rate: int,
    start_s: Fraction = Fraction(0),
    drift: Fraction = Fraction(0),
) -> np.ndarray:
    """Sound (N,) float32 that begins at `start_s` and beeps at these times, each beep with a sharp start."""
    at = np.arange(round(length_s * sample_rate)) / (sample_rate * (1 + float(drift))) + float(start_s)
    sound = np.zeros(len(at), np.float32)
    for beep in beeps_s:
        inside = (at >= float(beep)) & (at < float(beep + BEEP_S))
        sound[inside] = 0.8 * np.cos(2 * np.pi * BEEP_HZ * (at[inside] - float(beep)))
    return sound


def _add_video(
    film: OutputContainer,
    size: tuple[int, int],
    fps: Fraction,
    tick: Fraction,
    codec: str,
    pix_fmt: str,
    b_frames: int,
    gop: int,
    options: dict[str, str] | None,
) -> VideoStream:
    x264 = {"preset": "veryfast", "threads": "1"} if codec == "libx264" else {}
    video = film.add_stream(codec, rate=fps, options=x264 | (options or {}))
    if not isinstance(video, VideoStream):
        raise ValueError(f"'{codec}' is no video codec")
    video.height, video.width = size
    video.pix_fmt = pix_fmt
    video.gop_size = gop
    video.max_b_frames = b_frames
    video.codec_context.time_base = tick
    video.time_base = tick
    return video


def _write_pictures(
    film: OutputContainer,
    video: VideoStream,
    times_s: Sequence[Fraction],
    white: Sequence[bool],
    size: tuple[int, int],
    turns: int,
    tick: Fraction,
) -> None:
    for number, (at, is_white) in enumerate(zip(times_s, white, strict=True)):
        picture = np.ascontiguousarray(np.rot90(numbered(size, number, is_white), -turns))
        frame = VideoFrame.from_ndarray(picture, "rgb24").reformat(format=video.pix_fmt)
        frame.pts, frame.time_base = round(at / tick), tick
        film.mux(video.encode(frame))
    film.mux(video.encode(None))


def numbered(size: tuple[int, int], number: int, is_white: bool) -> np.ndarray:
    """A picture (h, w, 3) uint8, white or dark above, with its number in 8 bits as blocks along the bottom."""
    height, width = size
    picture = np.full((height, width, 3), 235 if is_white else 20, np.uint8)
    for bit in range(8):
        left, right = bit * width // 8, (bit + 1) * width // 8
        picture[height * 3 // 4 :, left:right] = 230 if number >> bit & 1 else 30
    return picture


def number_in(grey: np.ndarray) -> int:
    """The number (modulo 256) that `numbered` wrote, from an upright picture (h, w) uint8."""
    height, width = grey.shape
    strip = grey[height * 7 // 8 - height // 32 - 1 : height * 7 // 8 + height // 32 + 1]
    return sum(1 << bit for bit in range(8) if strip[:, (2 * bit + 1) * width // 16].mean() > 128)


def is_white(grey: np.ndarray) -> bool:
    """Whether a picture (h, w) uint8 is a flash."""
    return bool(grey[: len(grey) // 2].mean() > 128)


def onsets_s(sound: np.ndarray, sample_rate: int) -> list[float]:
    """When beeps begin, s: where the level first passes a quarter of its peak after 0.2 s of quiet."""
    loud = np.flatnonzero(np.abs(sound) > 0.25 * np.abs(sound).max())
    new = np.concatenate([[True], np.diff(loud) > 0.2 * sample_rate])
    return (loud[new] / sample_rate).tolist()


def _write_sound(
    film: OutputContainer,
    audio: AudioStream,
    sound: np.ndarray,
    late_s: Fraction,
    drift: Fraction,
    lost_s: tuple[Fraction, Fraction] | None,
) -> None:
    rate = audio.codec_context.sample_rate
    size = 1024
    packets = []
    for start in range(0, len(sound), size):
        block = np.ascontiguousarray(sound[start : start + size])[None]
        frame = AudioFrame.from_ndarray(block, "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        packets += audio.encode(frame)
    packets += audio.encode(None)
    for packet in packets:
        tick = packet.time_base
        at_s = packet.pts * tick / (1 + drift) + late_s
        if lost_s and lost_s[0] <= at_s < lost_s[1]:
            continue
        packet.pts = packet.dts = round(at_s / tick)
        film.mux(packet)
