"""Windows of a track: the same numbers as of each window alone, for a fraction of the work."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.mfcc import fit_rows, mfcc
from phonoscope.models.cards import Card
from phonoscope.models.face_encoders import Encoder
from phonoscope.models.speaking import Calibration, SpeakingNetwork, rows_of
from phonoscope.models.windows import SCHEMES, Network, begin

CARD = Card("toy", "1", (), "", "", "", "", "")
SECONDS = st.integers(20, 32)  # frames a second
LENGTHS = st.integers(1, 420)  # frames: up to twenty seconds


class Eyes:
    """Looks at faces (T, …) as `see` says, all of them at their end."""

    def __init__(self, see: Callable[[np.ndarray], np.ndarray]) -> None:
        self.see_all = see

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        return self.see_all(faces)

    def begin(self) -> "Gathered":
        return Gathered(self.see_all)


class Gathered:
    """Faces that are looked at at their end."""

    def __init__(self, see: Callable[[np.ndarray], np.ndarray]) -> None:
        self.see_all, self.faces = see, []

    def see(self, faces: np.ndarray) -> None:
        self.faces.extend(faces)

    def end(self) -> np.ndarray:
        return self.see_all(np.stack(self.faces))


def around(values: np.ndarray, reach: int) -> np.ndarray:
    """Weighted sums over `reach` rows on either side of each, zeros beyond the ends; rows (T, D)."""
    padded = np.pad(values, ((reach, reach), (0, 0)))
    weights = np.arange(1, 2 * reach + 2) / 10
    return np.tensordot(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, 0), weights, 1)


def toy(reach: int, looked: list[int] | None = None) -> Network:
    """A network that looks so far around, and whose answers depend on all that came before in the window."""

    def see(faces: np.ndarray) -> np.ndarray:
        if looked is not None:
            looked.append(len(faces))
        return around(faces.reshape(len(faces), -1)[:, :2] + 1.0, reach)  # + 1: that an edge may be seen

    def hear(rows: np.ndarray) -> np.ndarray:
        return np.stack([around(window.reshape(-1, 4, 13).mean(1) + 1.0, reach) for window in rows])

    def judge(seen: np.ndarray, heard: np.ndarray) -> np.ndarray:
        both = np.cumsum(seen[..., 0] + heard[..., 0], 1), np.cumsum(seen[..., 1] * heard[..., 1], 1)
        return np.stack(both, 2) / np.arange(1, seen.shape[1] + 1)[:, None]

    return Network(cast(Encoder, Eyes(see)), hear, judge, reach)


def judged(windows: str, network: Network, rows: np.ndarray, faces: np.ndarray, second: int) -> np.ndarray:
    """Logits (T, 2) in windows of that name."""
    look = begin(network, windows, second)
    look.see(faces)
    return SCHEMES[windows](network, rows, look.end(), second)


def material(frames: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(frames)
    return generator.normal(0, 1, (4 * frames, 13)), generator.normal(0, 1, (frames, 1, 2))


def alone(network: Network, rows: np.ndarray, faces: np.ndarray, second: int) -> np.ndarray:
    """As the demo does: each window by itself, six times over."""
    total = np.zeros((len(faces), 2))
    for duration in (1, 2, 3, 4, 5, 6):
        for at in range(0, len(faces), duration * second):
            window = slice(at, min(at + duration * second, len(faces)))
            some = rows[None, 4 * window.start : 4 * window.stop]
            total[window] += network.judge(network.see(faces[window])[None], network.hear(some))[0]
    return total / 6


@given(LENGTHS, SECONDS, st.integers(0, 10))
def test_exact_windows_give_what_each_window_gives_alone(frames: int, second: int, reach: int) -> None:
    network = toy(reach)
    rows, faces = material(frames)
    assert np.allclose(
        judged("exact", network, rows, faces, second), alone(network, rows, faces, second), atol=1e-4, rtol=1e-6
    )


@given(LENGTHS, SECONDS, st.integers(0, 10))
def test_exact_windows_look_at_each_face_twice_at_most_and_shared_ones_once(
    frames: int, second: int, reach: int
) -> None:
    looked: list[int] = []
    rows, faces = material(frames)
    judged("exact", toy(reach, looked), rows, faces, second)
    assert sum(looked) <= 2 * frames
    looked.clear()
    judged("shared", toy(reach, looked), rows, faces, second)
    assert looked == [frames]


@given(LENGTHS, SECONDS)
def test_a_network_that_looks_nowhere_around_is_the_same_shared_and_exact(frames: int, second: int) -> None:
    rows, faces = material(frames)
    assert np.array_equal(judged("exact", toy(0), rows, faces, second), judged("shared", toy(0), rows, faces, second))


@given(st.integers(1, 25), SECONDS)
def test_within_a_second_all_ways_are_one(frames: int, second: int) -> None:
    rows, faces = material(frames)[0], np.random.default_rng(0).normal(0, 1, (frames, 112, 112))
    several = [judged(windows, toy(3), rows, faces, max(second, frames)) for windows in SCHEMES]
    assert np.allclose(several[0], several[1], atol=1e-6)
    assert np.allclose(several[0], several[2], atol=1e-5)


@settings(max_examples=10)
@given(st.integers(0, 60), st.sampled_from([20, 25]))
def test_a_piece_that_begins_a_minute_later_scores_as_in_the_whole_track(rest: int, second: int) -> None:
    network, minute = toy(3), 60 * second
    rows, faces = material(minute + rest)
    whole = judged("exact", network, rows, faces, second)
    pieces = [judged("exact", network, rows[: 4 * minute], faces[:minute], second)]
    if rest:
        pieces.append(judged("exact", network, rows[4 * minute :], faces[minute:], second))
    assert np.allclose(whole, np.concatenate(pieces), atol=1e-5)


def test_a_second_must_hold_two_edges() -> None:
    rows, faces = material(50)
    with pytest.raises(ValueError, match="shorter than two edges of 11"):
        judged("exact", toy(11), rows, faces, 20)


def scorer(fps: Fraction = Fraction(25), windows: str = "shared") -> SpeakingNetwork:
    return SpeakingNetwork(toy(2), CARD, "asd").at(fps, windows)


@pytest.mark.parametrize("windows", ["shared", "exact", "track"])
@pytest.mark.parametrize("frames", [0, 1, 2, 25, 26, 151])
@pytest.mark.parametrize("heard_s", [0, 0.01, 1.5, 9])
def test_there_is_a_finite_score_for_every_face_whatever_is_heard(windows: str, frames: int, heard_s: float) -> None:
    faces = np.zeros((frames, 112, 112), np.uint8)
    for loudness in (0, 0.3):
        audio = np.random.default_rng(0).normal(0, loudness, int(heard_s * 16000)).astype(np.float32)
        scores = scorer(windows=windows)(faces, audio)
        assert scores.shape == (frames,)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()


@settings(max_examples=30)
@given(
    st.integers(1, 80), st.sets(st.integers(0, 80)), st.sampled_from(["shared", "exact", "track"]), st.integers(0, 3)
)
def test_faces_may_come_in_any_portions(frames: int, cuts: set[int], windows: str, heard_s: int) -> None:
    generator = np.random.default_rng(frames)
    faces = generator.integers(0, 256, (frames, 112, 112), np.uint8)
    audio = generator.normal(0, 0.1, 16000 * heard_s).astype(np.float32)
    piece = scorer(windows=windows).begin()
    for some in np.split(faces, sorted(cuts)):
        piece.see(some)
    assert piece.end(audio).tobytes() == scorer(windows=windows)(faces, audio).tobytes()


def test_the_score_is_how_much_more_speaking_than_not() -> None:
    def judge(seen: np.ndarray, heard: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.array([1.0, 3.5], np.float32), (*seen.shape[:2], 2))

    parts = replace(toy(1), judge=judge)
    scores = SpeakingNetwork(parts, CARD, "asd").at()(np.zeros((70, 112, 112), np.uint8), np.zeros(44800, np.float32))
    assert np.allclose(scores, 2.5)


@pytest.mark.parametrize(
    ("fps", "period"), [(Fraction(25), 1500), (Fraction(24000, 1001), 1440), (Fraction(30000, 1001), 1800)]
)
def test_a_track_may_be_cut_every_minute_and_for_one_pass_nowhere(fps: Fraction, period: int) -> None:
    assert scorer(fps).period == scorer(fps, "exact").period == period
    assert scorer(fps, "track").period == 0
    assert scorer(fps).context == 0


@pytest.mark.parametrize("fps", [Fraction(15), Fraction(50), Fraction(33)])
def test_film_that_runs_otherwise_is_refused_with_a_way_out(fps: Fraction) -> None:
    with pytest.raises(UsageError, match=r"about 25 frames a second, not .*--clock.fps 25, or .*--asd.model motion"):
        scorer(fps)


def test_windows_go_by_name() -> None:
    with pytest.raises(UsageError, match="no windows 'some'; there are shared, exact, track"):
        scorer(windows="some")


@pytest.mark.parametrize(
    ("faces", "audio"),
    [
        (np.zeros((2, 112, 100), np.uint8), np.zeros(9, np.float32)),
        (np.zeros((2, 112, 112)), np.zeros(9, np.float32)),
        (np.zeros((2, 112, 112), np.uint8), np.zeros((2, 9), np.float32)),
        (np.zeros((2, 112, 112), np.uint8), np.zeros(9, np.int16)),
    ],
)
def test_what_are_no_faces_or_no_sound_is_refused(faces: np.ndarray, audio: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        scorer()(faces, audio)


def test_a_calibration_keeps_the_order_and_gives_probabilities() -> None:
    odds = np.linspace(-20, 20, 9)
    told = Calibration(0.5, -1.0)(odds)
    assert (np.diff(told) > 0).all()
    assert ((told > 0) & (told < 1)).all()
    assert Calibration(0.5, -1.0)(np.array(2.0)) == 0.5


def test_logits_want_four_rows_a_frame() -> None:
    with pytest.raises(ValueError, match=r"expected MFCC \(4T, 13\)"):
        toy(1).logits(np.zeros((7, 13)), np.zeros((2, 112, 112)))
    assert toy(1).logits(np.zeros((0, 13)), np.zeros((0, 112, 112))).shape == (0, 2)


def noise(samples: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, samples).astype(np.float32)


@given(st.integers(1, 200))
def test_at_25_frames_a_second_rows_are_those_that_the_networks_were_trained_with(frames: int) -> None:
    audio = noise(640 * frames)
    wanted = fit_rows(mfcc(audio, 16000, "psf").values, 4 * frames)
    assert np.array_equal(rows_of(audio, frames, Fraction(25)), wanted.astype(np.float32))


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(24), Fraction(30)])
def test_at_other_rates_rows_keep_up_with_the_faces(fps: Fraction) -> None:
    frames = round(60 * fps)
    audio = np.zeros(round(frames * 16000 / fps), np.float32)
    beep = 59 * 16000  # a second before the end, where steps of whole samples have drifted most
    audio[beep : beep + 160] = noise(160)
    rows = rows_of(audio, frames, fps)
    assert rows.shape == (4 * frames, 13)
    loud = np.flatnonzero(rows[:, 0] > rows[0, 0] + 5)
    row_s, window_s = 1 / (4 * float(fps)), 0.025 * 25 / float(fps)
    assert abs(loud.mean() * row_s + window_s / 2 - (beep + 80) / 16000) < row_s
