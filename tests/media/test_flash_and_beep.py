"""Flash and beep happen at once in the film; so they do in what we read of it."""

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from phonoscope.core.time import Span, frames_of
from phonoscope.media.audio import read_audio
from phonoscope.media.probe import Probe, probe
from phonoscope.media.video import decode, frames
from phonoscope.testing.film import Truth, flash_and_beep, is_white, number_in, onsets_s

FPS, RATE = Fraction(25), 16000
RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
    None,
]
WAYS = {
    "plain": {},
    "picture late": {"video_late_s": Fraction(1, 2)},
    "sound late": {"audio_late_s": Fraction(2, 5)},
    "sound early": {"audio_late_s": Fraction(-3, 10)},
    "B-frames": {"b_frames": 3},
    "rotated": {"rotation_deg": 90, "b_frames": 2},
}


@dataclass(frozen=True)
class Read:
    """What we make of a film."""

    found: Probe
    numbers: list[int]
    white: list[bool]
    beeps_s: list[float]


def read(path: Path) -> Read:
    found = probe(path, FPS, RATE)
    pictures = list(decode(path, found.clock, [Span(0, found.num_frames)]))
    greys = [picture.luma((picture.height, picture.width)) for picture in pictures]
    blocks = list(read_audio(path, found.timeline, found.num_samples, RATE))
    sound = np.concatenate(blocks)
    assert len(sound) == found.num_samples and sound.dtype == np.float32
    return Read(found, [number_in(g) for g in greys], [is_white(g) for g in greys], onsets_s(sound, RATE))


def expected(truth: Truth, count: int) -> list[int]:
    """Which picture each tick must show, by brute force."""
    start = truth.pts_s[0]
    order = range(len(truth.pts_s))
    return [min(order, key=lambda i: (abs(truth.pts_s[i] - start - k / FPS), -i)) % 256 for k in range(count)]


def check(truth: Truth, got: Read, within_s: float = 0.001) -> None:
    start = truth.pts_s[0]
    assert got.numbers == expected(truth, got.found.num_frames)
    assert [truth.white[n] for n in got.numbers] == got.white
    assert got.beeps_s == pytest.approx([float(b - start) for b in truth.beeps_s], abs=within_s)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fps", RATES, ids=str)
def test_flash_and_beep_stay_together(tmp_path: Path, fps: Fraction | None, way: str):
    path = tmp_path / "film.mp4"
    unit = Fraction(1, 90000) if fps else None
    truth = flash_and_beep(path, fps=fps, time_base=unit, duration_s=Fraction(3), **WAYS[way])
    got = read(path)
    check(truth, got)
    flash = [k / FPS for k in range(1, len(got.white)) if got.white[k] and not got.white[k - 1]]
    assert len(flash) == len(got.beeps_s)
    # a tick shows the nearest picture, so it may be half a source step early and a tick less half a step late
    steps = np.diff([float(t) for t in truth.pts_s])
    for seen, heard in zip(flash, got.beeps_s, strict=True):
        assert -steps.max() / 2 - 0.001 <= float(seen) - heard <= 0.040 - steps.min() / 2 + 0.001


@pytest.mark.parametrize(
    ("name", "how"),
    {
        "film.mkv": {"b_frames": 2},
        "film.mov": {"b_frames": 2},
        "film.ts": {"b_frames": 2},
        "film.flv": {"b_frames": 2, "sample_rate": 44100},
        "film.avi": {"b_frames": 2, "audio_codec": "pcm_s16le"},
        "divx.avi": {"video_codec": "mpeg4", "b_frames": 1, "audio_codec": "pcm_s16le"},
        "film.mpg": {"video_codec": "mpeg2video", "b_frames": 2, "audio_codec": "mp2", "sample_rate": 44100},
        "film.webm": {"video_codec": "libvpx", "audio_codec": "libopus", "video_options": {"cpu-used": "8"}},
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_container_keeps_them_together(tmp_path: Path, name: str, how: dict):
    path = tmp_path / name
    truth = flash_and_beep(path, duration_s=Fraction(4), **how)
    got = read(path)
    check(truth, got)
    assert got.found.num_frames == 100


@pytest.mark.parametrize("drift", [Fraction(1, 1000), Fraction(-1, 500)])
@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_drift_is_taken_out(tmp_path: Path, name: str, drift: Fraction):
    path = tmp_path / name
    events = (Fraction(1), Fraction(5), Fraction(9))
    truth = flash_and_beep(path, drift=drift, duration_s=Fraction(10), events_s=events)
    got = read(path)
    check(truth, got)
    assert any("drifts" in note for note in got.found.notes)


def test_a_hole_in_the_sound_is_silent_and_moves_nothing(tmp_path: Path):
    path = tmp_path / "film.mp4"
    truth = flash_and_beep(path, silence_lost_s=(Fraction(17, 10), Fraction(22, 10)))
    got = read(path)
    check(truth, got)
    assert any("gap" in note for note in got.found.notes)
    sound = np.concatenate(list(read_audio(path, got.found.timeline, got.found.num_samples, RATE)))
    hole = got.found.timeline.segments[0].stop
    assert not sound[int(hole * RATE) + 1 : int((hole + Fraction(4, 10)) * RATE)].any()


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_stream_copied_cut_stays_together(tmp_path: Path, name: str):
    whole, cut = tmp_path / "whole.mp4", tmp_path / name
    flash_and_beep(whole, b_frames=3, gop=25, duration_s=Fraction(5))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", "1.5", "-i", whole, "-t", "3", "-c", "copy", cut]
    subprocess.run(command, check=True)
    got = read(cut)
    flash = [k / FPS for k in range(1, len(got.white)) if got.white[k] and not got.white[k - 1]]
    assert got.beeps_s == pytest.approx([float(f) for f in flash], abs=0.0201)  # the muxer itself rounds to a frame
    if name == "cut.mp4":  # the edit list hides what lies between the keyframe and the cut
        assert got.numbers[0] == 38


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30000, 1001), None], ids=str)
@pytest.mark.parametrize("b_frames", [0, 2])
def test_an_edit_that_begins_between_two_pictures_moves_nothing(tmp_path: Path, fps: Fraction | None, b_frames: int):
    path = tmp_path / "film.mp4"
    late = Fraction(-3, 25) - Fraction(1, 200)
    truth = flash_and_beep(path, fps=fps, time_base=Fraction(1, 90000), video_late_s=late, b_frames=b_frames)
    got = read(path)
    first = got.numbers[0]  # the first picture that FFmpeg shows; those before it are hidden by the edit
    assert truth.pts_s[first] >= 0 > truth.pts_s[first - 1]
    assert got.beeps_s == pytest.approx([float(b - truth.pts_s[first]) for b in truth.beeps_s], abs=0.001)
    assert got.found.av_start == pytest.approx(-truth.pts_s[first], abs=0.001)


@pytest.mark.parametrize("rotation_deg", [90, 180, 270])
def test_rotation_stands_upright_as_ffmpeg_has_it(tmp_path: Path, rotation_deg: int):
    path = tmp_path / "film.mp4"
    truth = flash_and_beep(path, rotation_deg=rotation_deg, size=(64, 96))
    got = read(path)
    check(truth, got)
    assert (got.found.width, got.found.height) == (96, 64)
    assert any(f"rotated by {360 - rotation_deg}°" in note for note in got.found.notes)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.uint8)
    assert [number_in(grey) for grey in raw.reshape(-1, 64, 96)] == got.numbers


def test_seeking_shows_the_same_pictures(tmp_path: Path):
    path = tmp_path / "film.mp4"
    flash_and_beep(path, b_frames=3, gop=20)
    found = probe(path, FPS, RATE)
    whole = np.stack([picture.rgb() for picture in decode(path, found.clock, [Span(0, found.num_frames)])])
    assert np.array_equal(frames(path, found.clock, Span(47, 58)), whole[47:58])
    assert found.num_frames == frames_of(Fraction(4), FPS)
