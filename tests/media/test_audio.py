"""Sound lies where its timestamps say, to within a sample."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.media.audio import BLOCK, read_audio
from phonoscope.media.probe import Probe, probe
from phonoscope.media.timeline import Heard, Timeline

FPS, RATE = Fraction(25), 16000


def write(
    path: Path, blocks: Sequence[tuple[float, np.ndarray]], rate: int, layout: str = "mono", seconds: int = 2
) -> Path:  # fmt: skip
    """A film of still pictures with blocks (start s, (channels, N) float32) of uncompressed sound."""
    with av.open(str(path), "w") as film:
        video = film.add_stream("mpeg4", rate=25)
        video.width, video.height = 32, 32
        audio = film.add_stream("pcm_f32le", rate=rate)
        audio.layout = layout
        for number in range(25 * seconds):
            frame = VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24").reformat(format="yuv420p")
            frame.pts = number
            film.mux(video.encode(frame))
        film.mux(video.encode(None))
        for start_s, block in blocks:
            for at in range(0, block.shape[1], 1024):
                piece = np.ascontiguousarray(block[:, at : at + 1024].T.reshape(1, -1))
                sound = AudioFrame.from_ndarray(piece, "flt", layout)
                sound.sample_rate, sound.time_base = rate, Fraction(1, rate)
                sound.pts = round(start_s * rate) + at
                film.mux(audio.encode(sound))
    return path


def heard(path: Path, rate: int = RATE) -> tuple[Probe, np.ndarray]:
    found = probe(path, FPS, rate)
    blocks = list(read_audio(path, found.timeline, found.num_samples, rate))
    assert all(block.dtype == np.float32 and 0 < len(block) <= BLOCK for block in blocks)
    sound = np.concatenate(blocks)
    assert len(sound) == found.num_samples == found.num_frames * rate // 25
    return found, sound


def peak(sound: np.ndarray) -> float:
    """Where the highest peak lies, in samples, between the samples too."""
    top = int(np.argmax(np.abs(sound)))
    before, at, after = sound[top - 1 : top + 2]
    return top + (before - after) / (2 * (before - 2 * at + after))


@pytest.mark.parametrize("source", [8000, 12000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("start_s", [0.0, 0.3, -0.25])
def test_an_impulse_stays_in_its_place(tmp_path: Path, source: int, start_s: float):
    signal = np.zeros((1, 2 * source), np.float32)
    signal[0, source + 11] = 0.9
    found, sound = heard(write(tmp_path / "film.mov", [(max(start_s, 0.0), signal)], source))
    if start_s < 0:
        found, sound = heard(write(tmp_path / "film.mkv", [(0.0, signal)], source))
        start_s = 0.0
    assert found.av_start == pytest.approx(start_s, abs=0.001)
    true = float(found.av_start) + (source + 11) / source
    assert peak(sound) == pytest.approx(true * RATE, abs=0.6)


@pytest.mark.parametrize(("layout", "channels"), [("stereo", 2), ("5.1", 6)])
def test_channels_are_mixed_to_one(tmp_path: Path, layout: str, channels: int):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE).astype(np.float32)
    _, sound = heard(write(tmp_path / "film.mkv", [(0.0, np.repeat(tone[None], channels, 0))], RATE, layout))
    assert np.abs(sound - tone).max() < 1e-3  # weights sum to one: nothing gets louder, nothing overflows


def test_what_is_missing_at_the_end_is_silence_and_what_is_too_much_is_cut(tmp_path: Path):
    tone = np.full((1, RATE), 0.5, np.float32)
    found, sound = heard(write(tmp_path / "short.mkv", [(0.0, tone)], RATE))
    assert not sound[RATE:].any() and (sound[:RATE] == 0.5).all()
    assert any("before the picture: padded" in note for note in found.notes)
    found, sound = heard(write(tmp_path / "long.mkv", [(0.0, np.tile(tone, 3))], RATE))
    assert (sound == 0.5).all()
    assert any("longer than picture: cut" in note for note in found.notes)


def test_a_late_sound_begins_with_silence(tmp_path: Path):
    found, sound = heard(write(tmp_path / "film.mkv", [(0.4, np.full((1, RATE), 0.5, np.float32))], RATE))
    assert found.av_start == Fraction(2, 5)
    assert not sound[:6400].any() and (sound[6400 : 6400 + RATE] == 0.5).all()


def lay(starts_s: Sequence[float], rate: int, samples: int = 1024, unit: Fraction = Fraction(1, 1000)) -> Timeline:
    """The timeline of frames with these timestamps."""
    frames = Heard(unit)
    for start_s in starts_s:
        frames.add(round(Fraction(start_s) / unit), samples, rate)
    return frames.timeline(Fraction(0))


@settings(max_examples=50, deadline=None)
@given(rate=st.sampled_from([16000, 44100, 48000]), first=st.integers(0, 10**6), count=st.integers(2, 3000))
def test_rounded_timestamps_are_one_run_without_drift(rate: int, first: int, count: int):
    timeline = lay([first / 1000 + k * 1024 / rate for k in range(count)], rate)
    (run,) = timeline.segments
    assert (run.samples, run.true_rate) == (1024 * count, rate)
    assert abs(run.start - Fraction(first, 1000)) <= Fraction(1, 1000)


@settings(max_examples=50, deadline=None)
@given(ppm=st.integers(400, 5000), sign=st.sampled_from([-1, 1]), rate=st.sampled_from([16000, 48000]))
def test_drift_is_measured(ppm: int, sign: int, rate: int):
    stretch = 1 + sign * ppm * 1e-6
    (run,) = lay([k * 1024 / rate * stretch for k in range(3000)], rate).segments
    assert float(rate / run.true_rate) == pytest.approx(stretch, abs=3e-5)


@settings(max_examples=50, deadline=None)
@given(at=st.integers(5, 90), hole_ms=st.integers(31, 5000))
def test_a_jump_starts_a_new_run_in_its_place(at: int, hole_ms: int):
    starts = [k * 0.064 + (hole_ms / 1000 if k >= at else 0) for k in range(100)]
    before, after = lay(starts, 16000).segments
    assert (before.samples, after.first) == (1024 * at, 1024 * at)
    assert float(after.start) == pytest.approx(starts[at], abs=0.001)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), jitter_ms=st.integers(0, 12))
def test_every_frame_stays_near_its_timestamp(seed: int, jitter_ms: int):
    """Whatever the timestamps do, no frame is placed farther from its own than jitter and one split allow."""
    rng = np.random.default_rng(seed)
    steps = 0.064 + rng.choice([0, 0.02, 0.4], 400, p=[0.95, 0.04, 0.01])
    starts = np.cumsum(steps) + rng.uniform(-1, 1, 400) * jitter_ms / 1000
    timeline = lay(starts.tolist(), 16000)
    for run in timeline.segments:
        for k in range(run.first // 1024, (run.first + run.samples) // 1024):
            placed = run.start + Fraction(k * 1024 - run.first) / run.true_rate
            assert abs(float(placed) - starts[k]) <= 0.020 + 0.002 + 0.002 * jitter_ms


def test_uneven_timestamps_of_a_telephone_are_no_holes():
    """Each tenth frame is stamped 18 ms late, as telephones do: the sound is continuous all the same."""
    (run,) = lay([k * 0.02 + (0.018 if k % 10 == 3 else 0) for k in range(500)], 8000, 160).segments
    assert (run.start, run.samples, run.true_rate) == (0, 80_000, 8000)


def test_a_lost_packet_starts_a_new_run():
    frames = Heard(Fraction(1, 48000))
    for k in range(100):
        if k == 50:
            frames.lose()
        else:
            frames.add(k * 1024, 1024, 48000)
    timeline = frames.timeline(Fraction(0))
    runs = [(run.start, run.samples) for run in timeline.segments]
    assert runs == [(0, 50 * 1024), (Fraction(51 * 1024, 48000), 49 * 1024)]
    assert timeline.damaged == 1


def test_a_change_of_rate_starts_a_new_run():
    frames = Heard(Fraction(1, 90000))
    at = 0
    for k in range(60):
        rate = 48000 if k < 30 else 24000
        frames.add(at, 1200, rate)
        at += 1200 * 90000 // rate
    assert [(run.rate, run.true_rate) for run in frames.timeline(Fraction(0)).segments] == [(48000,) * 2, (24000,) * 2]


def test_sound_without_timestamps_is_continuous():
    frames = Heard(Fraction(1, 1000))
    for k in range(50):
        frames.add(0 if k == 0 else None, 160, 8000)
    (run,) = frames.timeline(Fraction(0)).segments
    assert (run.start, run.samples) == (0, 8000)
