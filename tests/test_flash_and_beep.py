"""Through the front door, sound and picture of every kind of film fall together."""

from fractions import Fraction
from itertools import pairwise

import pytest

from phonoscope import Store, prepare
from phonoscope.testing.film import flash_and_beep, is_white, number_in, onsets_s

RATES = {
    "23.976": Fraction(24000, 1001), "24": Fraction(24), "25": Fraction(25), "29.97": Fraction(30000, 1001),
    "30": Fraction(30), "50": Fraction(50), "59.94": Fraction(60000, 1001), "vfr": None,
}  # fmt: skip
TRICKS = {
    "plain": {},
    "video-late": {"video_late_s": Fraction(2, 5)},
    "audio-late": {"audio_late_s": Fraction(2, 5)},
    "b-frames": {"b_frames": 3},
    "edit-list": {"video_late_s": Fraction(-3, 25), "b_frames": 2},
}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flash")
    truths = {}
    for rate, fps in RATES.items():
        for trick, how in TRICKS.items():
            unit = Fraction(1, 90000) if fps else None
            path = folder / f"{rate.replace('.', '-')}-{trick}.mp4"
            truths[rate, trick] = flash_and_beep(path, fps=fps, time_base=unit, **how)
    outcomes = list(prepare([folder], folder / "films", ()).carry_out())
    assert len(outcomes) == len(truths) and not [o.failure for o in outcomes if o.failure]
    return Store(folder / "films"), truths


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("rate", RATES)
def test_flash_and_beep_fall_together(films, rate, trick):
    store, truths = films
    recording = store[f"{rate.replace('.', '-')}-{trick}-"]
    frames, sound = recording.frames(), recording.audio()
    white = [is_white(frame[..., 1]) for frame in frames]
    flashes = [k / 25 for k in range(1, len(white)) if white[k] and not white[k - 1]]
    beeps = onsets_s(sound, 16000)
    assert len(flashes) == len(beeps) == 2
    # a tick shows the nearest picture: white may begin half a source step early, or a tick less half a step late
    step = float(max(b - a for a, b in pairwise(truths[rate, trick].pts_s)))
    for flash, beep in zip(flashes, beeps, strict=True):
        assert -step / 2 - 0.001 <= flash - beep <= max(0.020, 0.040 - step / 2) + 0.001


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("rate", RATES)
def test_a_tick_shows_the_picture_that_the_clock_names_and_a_beep_is_heard_when_its_picture_was_shown(
    films, rate, trick
):
    store, truths = films
    recording, truth = store[f"{rate.replace('.', '-')}-{trick}-"], truths[rate, trick]
    frames, clock = recording.frames()[..., 1], recording.clock
    numbers = [number_in(frame) for frame in frames]
    began = truth.pts_s[numbers[0]]  # an edit list may hide the pictures before it
    assert [is_white(frame) for frame in frames] == [truth.white[n] for n in numbers]
    for number, pts in zip(numbers, (clock.pts - clock.pts[0]).tolist(), strict=True):
        assert abs(pts * clock.time_base - (truth.pts_s[number] - began)) <= clock.time_base
    heard = onsets_s(recording.audio(), recording.recording.sample_rate)
    assert heard == pytest.approx([float(beep - began) for beep in truth.beeps_s], abs=0.002)
