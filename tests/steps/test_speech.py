"""Hidden states as an artifact: every row at its place, whatever the length of the sound."""

import subprocess
import sys
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.series import Series
from phonoscope.core.time import Span, sample_at
from phonoscope.flow.streams import PartFolder
from phonoscope.job import params_from, prepare, run
from phonoscope.models.cards import Card
from phonoscope.models.protocols import SpeechEncoder
from phonoscope.models.registry import load
from phonoscope.steps.speech import WHOLE, SpeechParams, moments, speech, windows
from phonoscope.store.codecs import read_folder
from phonoscope.store.folder import Store
from phonoscope.testing.tiny_speech import babble, tiny_model

RATE = 16000
AWKWARD_RATES = [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(30), Fraction(50), Fraction(60)]


class Ear:
    """An encoder whose rows say at which sample they are centred, where sample i has the value i."""

    backend_kind: ClassVar[str] = "speech_encoder"
    card = Card("ear", "1", (), "", "", "", "", "")
    layers, width, hop, scaled = 3, 2, 320, False

    def __init__(self, longest: int | None = None) -> None:
        self.field = 400 if longest is None else 1
        self.centre = Fraction(self.field // 2)
        self.longest = longest
        self.most = 0

    def rows(self, samples: int) -> int:
        return max(0, samples - self.field) // self.hop + 1

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        assert self.longest is None or len(audio) <= self.longest
        self.most = max(self.most, len(audio))
        padded = np.pad(audio, (0, max(0, self.field - len(audio))))
        heard = padded[int(self.centre) :: self.hop][: self.rows(len(audio))]
        return np.multiply.outer(np.array([1, 2, 3], np.float32), np.repeat(heard[:, None], self.width, 1))


def series_of(audio: np.ndarray) -> Series:
    return Series(audio.astype(np.float32), Fraction(RATE))


def made(audio: np.ndarray, encoder: SpeechEncoder, folder: Path, p: SpeechParams | None = None) -> Series:
    """What the step makes, read as the store reads it."""
    for old in folder.iterdir():
        old.unlink()
    return read_folder(speech(series_of(audio), encoder, p or SpeechParams(), PartFolder(folder)))


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A folder with a tiny HuBERT and a tiny Whisper."""
    folder = tmp_path_factory.mktemp("models")
    for kind in ("hubert", "whisper"):
        tiny_model(folder / kind, kind)
    return folder


ears = st.sampled_from([None, 30 * RATE])
lengths = st.one_of(st.integers(1, 2000), st.integers(1, 200 * RATE), st.sampled_from([WHOLE, WHOLE + 1, 90 * RATE]))


@settings(max_examples=200)
@given(longest=ears, samples=lengths)
def test_windows_give_each_row_once_and_in_order(longest, samples):
    ear, rows = Ear(longest), []
    for heard, kept in windows(samples, ear):
        assert heard.start % ear.hop == 0
        assert 0 <= heard.start < heard.stop <= samples
        assert heard.stop - heard.start <= (WHOLE if longest is None else longest)
        assert kept.stop <= ear.rows(heard.stop - heard.start)
        rows += [row + heard.start // ear.hop for row in range(kept.start, kept.stop)]
    assert rows == [*range(ear.rows(samples))]


@settings(max_examples=200)
@given(longest=ears, samples=st.integers(61 * RATE, 200 * RATE))
def test_a_kept_row_has_its_context_unless_the_sound_ends(longest, samples):
    ear, context = Ear(longest), 5 * RATE
    for heard, kept in windows(samples, ear):
        first, last = (int(heard.start + ear.centre + row * ear.hop) for row in (kept.start, kept.stop - 1))
        assert heard.start == 0 or first - heard.start >= context
        assert heard.stop == samples or heard.stop - last > context


@pytest.mark.parametrize("longest", [None, 30 * RATE])
@pytest.mark.parametrize("samples", [1, 399, 400, 719, 720, 30 * RATE + 1, 61 * RATE + 7, 150 * RATE + 319])
def test_every_row_is_what_is_heard_at_its_centre(longest, samples, tmp_path):
    ear = Ear(longest)
    series = made(np.arange(samples), ear, tmp_path)
    assert series.values.shape == (ear.rows(samples), 3, 2)
    assert (series.rate, series.start) == (50, Fraction(ear.centre, RATE))
    centres = int(ear.centre) + 320 * np.arange(len(series))
    want = np.where(centres < samples, centres, 0)
    np.testing.assert_array_equal(series.values[:, 2, 0], 3 * want.astype(np.float32))
    assert ear.most <= (WHOLE if longest is None else longest)


@settings(max_examples=200)
@given(frames=st.integers(1, 200), fps=st.sampled_from(AWKWARD_RATES), longest=ears)
def test_there_are_exactly_two_rows_a_frame_and_none_is_far_off(frames, fps, longest):
    ear, samples = Ear(longest), sample_at(frames, fps, RATE)  # odd counts among them
    centre = ear.centre / RATE + np.arange(ear.rows(samples)) * Fraction(1, 50)
    series = Series(centre, Fraction(50), ear.centre / RATE)
    on = series.on(Span(0, frames), fps, rows=2)
    assert len(on) == 2 * frames
    wanted = [(frame + Fraction(2 * j + 1, 4)) / fps for frame in range(frames) for j in range(2)]
    off = [abs(row - at) for row, at in zip(on, wanted, strict=True)]
    inside = [gap for gap, at in zip(off, wanted, strict=True) if centre[0] <= at <= centre[-1]]
    assert max(inside, default=0) <= Fraction(1, 100)
    assert max(off) <= Fraction(1, 50) if fps == 25 else max(off) <= Fraction(32, 1000)


def restated(audio: np.ndarray, encoder: SpeechEncoder, core_s: int) -> np.ndarray:
    """The rule for long sound in plain words: cores of `core_s`, 5 s around them, rows centred in the core."""
    if encoder.scaled:
        audio = ((audio - audio.mean(dtype=np.float64)) / np.sqrt(audio.var(dtype=np.float64) + 1e-7)).astype("f4")
    kept = []
    for number in count():
        start, stop = number * core_s * RATE, (number + 1) * core_s * RATE
        if start >= len(audio):
            return np.stack(kept)
        begin = max(0, start - 5 * RATE)
        states = encoder(audio[begin : stop + 5 * RATE])
        centres = [begin + encoder.centre + row * encoder.hop for row in range(states.shape[1])]
        kept += [states[:, row] for row, centre in enumerate(centres) if start <= centre < stop]


@pytest.mark.parametrize(("kind", "core_s"), [("hubert", 30), ("whisper", 20)])
def test_long_sound_is_what_the_rule_says_in_plain_words(kind, core_s, models, tmp_path):
    encoder, audio = load(str(models / kind)), babble(71.37)
    series = made(audio, encoder, tmp_path)
    np.testing.assert_allclose(series.values, restated(audio, encoder, core_s), rtol=0, atol=1e-5)


def test_windows_hear_nearly_what_one_pass_hears(models, tmp_path):
    encoder, audio = load(str(models / "hubert")), babble(70)
    mean, deviation = moments(audio)
    whole = encoder(((audio - mean) / deviation).astype(np.float32)).swapaxes(0, 1)
    pieces = made(audio, encoder, tmp_path).values
    cosine = (whole * pieces).sum(-1) / np.linalg.norm(whole, axis=-1) / np.linalg.norm(pieces, axis=-1)
    assert cosine.min() > 0.999, f"least {cosine.min():.6f}, median {np.median(cosine):.6f}"


def test_a_minute_is_heard_in_one_pass(tmp_path):
    short, long = Ear(), Ear()
    made(np.zeros(WHOLE), short, tmp_path)
    made(np.zeros(WHOLE + 1), long, tmp_path)
    assert short.most == WHOLE
    assert long.most <= 40 * RATE


def test_whisper_loses_no_sound(models, tmp_path):
    encoder, audio = load(str(models / "whisper")), babble(47.003)
    before = made(audio, encoder, tmp_path).values.copy()
    for at in (0, 29.9, 30.1, 46.99):
        louder = audio.copy()
        louder[round(at * RATE) : round(at * RATE) + 160] += 0.5
        heard = np.abs(made(louder, encoder, tmp_path).values - before)[:, 0].max(1)
        assert heard[round(at * 50) :][:3].max() > 1e-4, f"what is heard at {at} s changes nothing"


@pytest.mark.parametrize(("layers", "numbers"), [("all", [0, 1, 2]), ("last", [2]), ("2,0", [2, 0]), ("1", [1])])
def test_layers_are_those_asked_for(layers, numbers, tmp_path):
    series = made(np.arange(9000), Ear(), tmp_path, SpeechParams(layers=layers))
    whole = Ear()(np.arange(9000, dtype=np.float32)).swapaxes(0, 1)
    np.testing.assert_array_equal(series.values, whole[:, numbers])
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{layers}.json", f"{layers}.npy"]


def test_the_mean_of_layers_is_one_layer(tmp_path):
    series = made(np.arange(9000), Ear(), tmp_path, SpeechParams(layers="mean"))
    np.testing.assert_allclose(series.values[:, 0, 0], 2 * (200 + 320 * np.arange(len(series))))
    assert series.values.shape[1:] == (1, 2)


def test_half_precision_is_half_the_size_and_refused_where_it_cannot_hold_the_numbers(tmp_path):
    half = made(np.arange(9000) % 100, Ear(), tmp_path, SpeechParams(dtype="float16"))
    assert half.values.dtype == np.float16
    np.testing.assert_array_equal(half.values, made(np.arange(9000) % 100, Ear(), tmp_path).values)
    with pytest.raises(UsageError, match=r"hidden states reach .* float16 cannot hold: use --speech\.dtype float32"):
        made(np.full(9000, 30000), Ear(), tmp_path, SpeechParams(dtype="float16"))


@given(st.integers(1, 4000), st.floats(-1, 1), st.integers(0, 2**31))
def test_scale_is_that_of_the_whole_sound(samples, shift, seed):
    audio = np.random.default_rng(seed).normal(shift, 0.1, samples).astype(np.float32)
    mean, deviation = moments(audio)
    assert mean == pytest.approx(float(audio.mean(dtype=np.float64)), abs=1e-9)
    assert deviation == pytest.approx(float(np.sqrt(audio.var(dtype=np.float64) + 1e-7)), rel=1e-6)


@pytest.mark.parametrize("kind", ["hubert", "whisper"])
@pytest.mark.parametrize("samples", [1, 399, 640, 16001])
def test_silence_and_the_shortest_sound_give_rows_of_numbers(kind, samples, models, tmp_path):
    series = made(np.zeros(samples), load(str(models / kind)), tmp_path)
    assert len(series) >= 1
    assert np.isfinite(series.values).all()
    assert len(series.on(Span(0, 1), Fraction(25), rows=2)) == 2


@pytest.mark.parametrize("layers", ["", "6,", "6,6", "-1", "06", "first", "6-9", "²"])
def test_layers_that_make_no_sense_are_refused(layers):
    with pytest.raises(UsageError, match=r"speech\.layers must be all, last, mean or numbers such as 6,9"):
        SpeechParams(layers=layers)


def test_a_layer_too_many_and_sound_at_another_rate_are_refused(tmp_path):
    with pytest.raises(UsageError, match="layers 1,3: this network's hidden states are 0 to 2"):
        made(np.zeros(9000), Ear(), tmp_path, SpeechParams(layers="1,3"))
    with pytest.raises(UsageError, match="speech hears 16000 samples a second, the store's audio has 48000"):
        speech(Series(np.zeros(9), Fraction(48000)), Ear(), SpeechParams(), PartFolder(tmp_path))


@pytest.mark.parametrize("wrong", [np.zeros((3, 1, 2)), np.full((3, 28, 2), np.nan), np.zeros((2, 28, 2))])
def test_an_encoder_that_breaks_its_promise_is_named(wrong, tmp_path):
    class Broken(Ear):
        def __call__(self, audio: np.ndarray) -> np.ndarray:
            return wrong

    with pytest.raises(ValueError, match=r"ear must give \(3, 28, 2\) finite numbers, got"):
        made(np.zeros(9040), Broken(), tmp_path)


def test_a_film_has_its_speech_and_keeps_it(models, puppets, tmp_path):
    params = params_from({"speech": {"model": str(models / "hubert"), "layers": "all"}})
    (outcome,) = prepare([puppets], tmp_path / "films", ("speech",), params).carry_out()
    assert outcome.failure is None
    stored = Store(tmp_path / "films")["two-puppets"]
    series = stored.load("speech")
    assert series.values.shape == (199, 3, 16)
    assert len(series.on(stored.recording.span, stored.recording.fps, rows=2)) == 200
    assert stored.receipts["speech"].card.startswith("hubert@hubert:")
    before = (stored.path("speech") / "all.npy").read_bytes()
    (again,) = run(("speech",), tmp_path / "films", params).carry_out()
    assert again.kept == ("speech",)
    stored.forget("speech")
    (anew,) = run(("speech",), tmp_path / "films", params).carry_out()
    assert anew.made == ("speech",)
    assert (stored.path("speech") / "all.npy").read_bytes() == before


def test_without_a_model_no_film_is_touched(puppets, tmp_path):
    with pytest.raises(UsageError, match=r"no model is named for speech: give --speech\.model FOLDER, or org/name"):
        prepare([puppets], tmp_path / "films", ("speech",))
    assert not [*tmp_path.rglob("recording.json")]


MEASURE = """
import resource, sys
from fractions import Fraction
from pathlib import Path
from phonoscope.core.series import Series
from phonoscope.flow.streams import PartFolder
from phonoscope.models.registry import load
from phonoscope.steps.speech import SpeechParams, speech
from phonoscope.testing.tiny_speech import babble
import numpy as np
model, folder, seconds = sys.argv[1:]
audio = np.tile(babble(60), 60)
heard = Series(audio[: int(seconds) * 16000], Fraction(16000))
speech(heard, load(model), SpeechParams(), PartFolder(folder))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 if sys.platform != "darwin" else 1024))
"""


@pytest.mark.slow
def test_an_hour_takes_no_more_memory_than_ten_minutes(tmp_path):
    model = tiny_model(tmp_path / "model", layers=2, width=32)
    peaks = []
    for seconds in (600, 3600):
        folder = tmp_path / str(seconds)
        folder.mkdir()
        command = [sys.executable, "-c", MEASURE, str(model), str(folder), str(seconds)]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        assert len(read_folder(folder)) == (seconds * RATE - 400) // 320 + 1
    size = (tmp_path / "3600" / "all.npy").stat().st_size // 1024
    assert peaks[1] - peaks[0] < 32 * 1024 < size, f"KiB at most: {peaks}; on disk: {size}"
