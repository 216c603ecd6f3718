"""Seed 001's scorer: the graph against PyTorch in every mode, and which faces and sound each window has."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from phonoscope.core.errors import UsageError
from phonoscope.models.backends import ava_asd, ava_asd_graph
from phonoscope.models.backends.ava_asd import AvaAsd, next_to, normalised_mfcc, window_frames, window_rows
from phonoscope.models.sessions import onnx_network

RATES = [Fraction(10), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60)]
MODES = ["s_av", "s_av_fc", "s_a", "s_v"]


def weights(mode: str, channels: int = 1) -> dict[str, np.ndarray]:
    """Weights through which what goes in comes out neither dead nor blown up."""
    generator = np.random.default_rng(7)
    return {
        name: generator.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        for name, shape in ava_asd_graph.shapes(mode, channels).items()
    }


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    save_file(weights("s_av"), path)
    return path


@pytest.fixture(scope="module")
def scorer(file: Path) -> AvaAsd:
    return AvaAsd(file)


@pytest.mark.parametrize(("mode", "channels"), [*((mode, 1) for mode in MODES), ("s_av", 3), ("s_v", 3)])
def test_the_graph_says_what_pytorch_says(mode: str, channels: int) -> None:
    torch = pytest.importorskip("torch")
    from phonoscope.tasks.asd.networks.registry import network

    tensors = weights(mode, channels)
    with torch.device("meta"):  # drawing weights that are replaced at once would take most of the time
        theirs = network("ava-asd", mode=mode, channels=channels).eval()
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()}, assign=True)
    generator = np.random.default_rng(1)
    mfcc = generator.standard_normal((2, 13, 20), np.float32)
    faces = generator.integers(0, 256, (2, 5, 100, 100)).astype(np.float32)
    colour = np.repeat(faces[..., None], channels, 4)
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(mfcc), torch.from_numpy(colour)).av.numpy()
    said = onnx_network(ava_asd_graph.ava_asd_graph(tensors))({"faces": faces, "mfcc": mfcc})["logits"]
    np.testing.assert_allclose(said, expected, atol=1e-4, rtol=0)
    assert np.abs(np.diff(expected, axis=0)).max() > 1e-3  # or the weights would tell no window from another


@given(st.integers(1, 400), st.sampled_from(RATES))
def test_windows_show_ten_faces_a_second_each_the_nearest(frames: int, fps: Fraction) -> None:
    windows = window_frames(frames, fps)
    assert windows.shape[1] == 5
    assert windows.min() == 0
    assert windows.max() < frames
    assert (np.diff(windows, axis=1) >= 0).all()
    np.testing.assert_array_equal(windows[1:, :-1], windows[:-1, 1:])
    seen = np.concatenate([windows[0, :-1], windows[:, -1]])
    seen = seen[np.flatnonzero(seen)[0] - 1 :] if seen.any() else seen[-1:]
    for number, frame in enumerate(seen.tolist()):
        assert abs(frame - number * fps / 10) <= Fraction(1, 2)
    assert len(seen) * fps / 10 + Fraction(1, 2) >= frames  # no further one would lie within the track


def test_film_at_25_frames_a_second_is_seen_as_two_three_two_three() -> None:
    assert window_frames(16, Fraction(25)).tolist() == [[0, 3, 5, 8, 10], [3, 5, 8, 10, 13], [5, 8, 10, 13, 15]]
    assert window_frames(8, Fraction(25)).tolist() == [[0, 0, 0, 3, 5]]


def test_each_frame_has_the_score_of_the_window_that_ends_next_to_it() -> None:
    assert next_to(np.array([10, 13, 15]), 18).tolist() == [0] * 12 + [1] * 2 + [2] * 4
    assert next_to(np.array([10, 12]), 13).tolist() == [0] * 11 + [1] * 2


@given(st.lists(st.integers(0, 500), min_size=1, max_size=20, unique=True), st.integers(1, 500))
def test_no_window_ends_nearer_to_a_frame_than_its_own(ends: list[int], frames: int) -> None:
    last = np.sort(ends)
    apart = np.abs(np.arange(frames)[:, None] - last)
    np.testing.assert_array_equal(apart[np.arange(frames), next_to(last, frames)], apart.min(1))


def test_a_window_hears_a_fifth_of_a_second_that_ends_25_ms_before_its_last_frame() -> None:
    rows = window_rows(np.array([10, 25]), Fraction(25))
    assert rows.shape == (2, 20)
    assert rows[0].tolist() == list(range(17, 37))  # 0.4 s is row 40; 0.375 s the first not heard
    assert rows[1, -1] == 96


def test_a_window_at_the_begin_of_a_track_hears_nothing_before_it() -> None:
    assert window_rows(np.array([0]), Fraction(25)).max() < 0  # the scorer repeats the first row


def test_silence_is_normalised_to_zeros() -> None:
    sound = normalised_mfcc(np.zeros(16000, np.float32))
    assert sound.shape == (101, 13)
    np.testing.assert_allclose(sound, 0, atol=1e-5)


def test_sound_is_normalised_coefficient_by_coefficient() -> None:
    sound = normalised_mfcc(np.random.default_rng(0).standard_normal(16000).astype(np.float32))
    np.testing.assert_allclose(sound.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(sound.std(0), 1, atol=1e-5)


@pytest.mark.parametrize("frames", [0, 1, 4, 30])
def test_there_is_a_finite_score_for_every_frame(scorer: AvaAsd, frames: int) -> None:
    faces = np.random.default_rng(2).integers(0, 256, (frames, 100, 100), np.uint8)
    audio = np.random.default_rng(3).standard_normal(frames * 640).astype(np.float32)
    said = scorer.at(Fraction(25))(faces, audio)
    assert (said.shape, said.dtype) == ((frames,), np.float32)
    assert np.isfinite(said).all()


def test_class_0_speaks(scorer: AvaAsd, monkeypatch: pytest.MonkeyPatch) -> None:
    logits = np.float32([3, 1])
    monkeypatch.setattr(scorer, "_network", lambda inputs: {"logits": np.tile(logits, (len(inputs["faces"]), 1))})
    said = scorer(np.zeros((20, 100, 100), np.uint8), np.ones(20 * 640, np.float32))
    np.testing.assert_array_equal(said, np.full(20, 2.0))


def test_windows_in_portions_are_the_windows_at_once(scorer: AvaAsd, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = np.random.default_rng(2).integers(0, 256, (30, 100, 100), np.uint8)
    audio = np.random.default_rng(3).standard_normal(30 * 640).astype(np.float32)
    at_once = scorer(faces, audio)
    monkeypatch.setattr(ava_asd, "AT_ONCE", 3)
    np.testing.assert_allclose(scorer(faces, audio), at_once, atol=1e-4)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(UsageError, match="ava-asd cannot take these weights"):
        ava_asd_graph.ava_asd_graph({"model.GRU.gru_forward.weight_ih_l0": np.zeros((384, 128))})
    with pytest.raises(UsageError, match=r"mode s_a cannot take these weights: misshapen: main_out.weight \(2, 9\)"):
        ava_asd_graph.ava_asd_graph(weights("s_a") | {"main_out.weight": np.zeros((2, 9))})


def test_what_it_cannot_score_is_refused(scorer: AvaAsd) -> None:
    with pytest.raises(ValueError, match=r"expected faces \(T, 100, 100\) uint8, got \(5, 112, 112\) uint8"):
        scorer(np.zeros((5, 112, 112), np.uint8), np.zeros(3200, np.float32))
    with pytest.raises(ValueError, match="of one sample at least"):
        scorer(np.zeros((5, 100, 100), np.uint8), np.zeros(0, np.float32))
    with pytest.raises(UsageError, match="sees 10 faces a second, this film has 8"):
        scorer.at(Fraction(8))


def test_without_weights_it_says_that_they_must_be_given() -> None:
    from phonoscope.models import registry

    with pytest.raises(UsageError, match=r"'ava-asd' has no weights that can be fetched: .* --asd.weights FILE"):
        registry.load("ava-asd")


def test_its_weights_are_loaded_by_name_and_file(file: Path) -> None:
    from phonoscope.models import registry

    scorer = registry.load("ava-asd", weights=file)
    assert scorer.card.name == "ava-asd"
    assert scorer.card.sha256
    assert registry.policy_of(f"ava-asd:{file}") == "tight"
