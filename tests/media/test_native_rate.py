"""A clock that keeps the film's own rate shows each of its pictures once."""

import re
import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope import Store, prepare
from phonoscope.core.errors import UsageError
from phonoscope.job import ClockParams, Params, params_from
from phonoscope.media.clock import USUAL, Stamps, has_ticks, own_clock, own_rate
from phonoscope.media.probe import probe
from phonoscope.store.folder import StoreSettings
from phonoscope.testing.film import flash_and_beep, number_in

NATIVE = Params(clock=ClockParams(fps=None))
UNITS = [Fraction(1, 1000), Fraction(1, 90000), Fraction(1, 12800)]


def rounded(fps: Fraction, count: int, unit: Fraction) -> Stamps:
    """The times of the pictures of a steady film, as a container rounds them."""
    return Stamps(np.array([round(k / fps / unit) for k in range(count)], np.int64), unit, 0)


@given(fps=st.sampled_from(USUAL), count=st.integers(2, 3000), unit=st.sampled_from(UNITS))
def test_the_rate_that_a_film_tells_is_kept_if_its_pictures_agree(fps, count, unit):
    stamps = rounded(fps, count, unit)
    assert own_rate(stamps, [fps]) == fps
    clock = own_clock(stamps, fps)
    assert clock.pts.tolist() == stamps.pts.tolist() and clock.time_base == unit


@given(
    fps=st.sampled_from(USUAL), count=st.integers(100, 3000), unit=st.sampled_from(UNITS),
    told=st.sampled_from([None, Fraction(0), Fraction(1000), Fraction(90000), Fraction(7, 2)]),
)  # fmt: skip
def test_a_rate_that_is_told_wrongly_is_seen_through(fps, count, unit, told):
    stamps = rounded(fps, count, unit)
    found = own_rate(stamps, [told])
    assert has_ticks(stamps, found) and abs(float(found / fps) - 1) < 0.006


@given(steps=st.lists(st.integers(20, 90), min_size=30, max_size=60))
def test_a_rate_that_varies_becomes_a_usual_one(steps):
    stamps = Stamps(np.cumsum([0, *steps]), Fraction(1, 1000), 0)
    rate = own_rate(stamps, [Fraction(1000 * len(steps), sum(steps))])
    assert rate in USUAL or has_ticks(stamps, rate)


def test_a_film_of_one_picture_has_a_rate():
    stamps = Stamps(np.array([500]), Fraction(1, 1000), 40)
    assert own_rate(stamps, [None]) == 25 and len(own_clock(stamps, Fraction(25))) == 1


@pytest.mark.parametrize("lost", [(10,), (10, 11, 30, 31, 32)])
def test_dropped_pictures_leave_the_rate_that_most_steps_have(lost):
    whole = rounded(Fraction(30), 90, Fraction(1, 90000))
    stamps = Stamps(np.delete(whole.pts, lost), whole.time_base, 0)
    mean = Fraction(len(stamps.pts) - 1) / (int(stamps.pts[-1]) * stamps.time_base)
    assert own_rate(stamps, [mean]) == 30
    assert len(own_clock(stamps, Fraction(30))) == 90


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    flash_and_beep(folder / "a24.mp4", fps=Fraction(24), duration_s=Fraction(4), b_frames=2)
    flash_and_beep(folder / "b30.mkv", fps=Fraction(30), duration_s=Fraction(4), time_base=Fraction(1, 1000))
    flash_and_beep(folder / "c29.mp4", fps=Fraction(30000, 1001), duration_s=Fraction(4))
    return folder


def test_films_of_several_rates_share_a_store_and_no_picture_is_lost_or_shown_twice(films, tmp_path):
    outcomes = list(prepare([films], tmp_path / "s", (), NATIVE).carry_out())
    assert [outcome.failure for outcome in outcomes] == [None] * 3
    store = Store(tmp_path / "s")
    rates = {}
    for id in store:
        stored = store[id]
        shown = [number_in(picture.mean(2)) for picture in stored.frames()]
        assert shown == list(range(_pictures(stored.source))), id
        rates[id[:3]] = stored.recording.fps
        samples = stored.recording.num_samples - stored.recording.num_frames * 16000 / stored.recording.fps
        assert abs(samples) <= 0.5 and stored.recording.notes == ()
    assert rates == {"a24": 24, "b30": 30, "c29": Fraction(30000, 1001)}


def _pictures(film: Path) -> int:
    """How many pictures FFmpeg finds in a film."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", film, "-map", "0:v", "-fps_mode", "passthrough"]
    out = subprocess.run([*command, "-f", "framecrc", "-"], check=True, capture_output=True, text=True).stdout
    return len(re.findall(r"^0,", out, re.MULTILINE))


def test_a_variable_rate_is_noted(tmp_path):
    flash_and_beep(tmp_path / "v.mp4", fps=None, duration_s=Fraction(4))
    found = probe(tmp_path / "v.mp4", None, 16000)
    assert found.fps in USUAL
    assert any(note.startswith(f"no rate of its own: kept at {found.fps} frames a second") for note in found.notes)


def test_a_store_of_native_rates_says_so_and_stays_one(films, tmp_path):
    list(prepare([films / "a24.mp4"], tmp_path / "s", (), NATIVE).carry_out())
    assert '"fps": "native"' in (tmp_path / "s" / "store.json").read_text()
    assert Store(tmp_path / "s").settings == StoreSettings(fps=None)
    assert [o.made for o in prepare([films / "a24.mp4"], tmp_path / "s", (), NATIVE).carry_out()] == [()]
    with pytest.raises(UsageError, match="keeps native frames and 16000 samples a second: for 25 frames use another"):
        prepare([films], tmp_path / "s", ())
    assert params_from({"clock": {"fps": "native"}}) == NATIVE


@pytest.mark.real
def test_real_films_keep_the_rate_that_ffprobe_tells(shared_data):
    """Its manifest was written by ffprobe."""
    for name, rate in {
        "a_talking_head/latentsync_demo3.mp4": Fraction(30),
        "b_multi_face/whitehouse_hamilton_10s.mp4": Fraction(2997, 100),
        "a_talking_head/hdtf_KatieHill.mp4": Fraction(25),
        "a_talking_head/grid_bbaf2n.mpg": Fraction(25),
        "f_nasty_media/ExoPlayer__sample_av1.mp4": Fraction(30000, 1001),
    }.items():
        assert probe(shared_data / name, None, 16000).fps == rate, name
