"""The separator that comes with phonoscope: its file, its two forms, and what it must do whatever it is given."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from phonoscope.core.errors import UsageError
from phonoscope.metrics.separation import si_sdr_improvement
from phonoscope.models import load
from phonoscope.models.backends.compact import Compact, sound_of, spectra
from phonoscope.models.backends.compact_graph import entries
from phonoscope.models.registry import PREFERRED, choose
from phonoscope.models.weights import weights
from phonoscope.testing.puppet import Speech, utter, voice
from phonoscope.testing.puppet.driven import crops, driven

few = settings(max_examples=10, deadline=None)
WIDTH = 35


@pytest.fixture(scope="module")
def compact() -> Compact:
    return load("compact")


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("weights")

    def write(seed: int, lips: int = WIDTH) -> Path:
        rng, path = np.random.default_rng(seed), folder / f"{seed}-{lips}.safetensors"
        wanted = entries(lips, 8, 12)
        save_file({name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in wanted.items()}, path)
        return path

    return write


def given_at_random(seed: int, faces: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    lips = rng.normal(0, 1, (faces, frames, WIDTH)).astype(np.float32)
    lips[rng.random((faces, frames)) < 0.2] = np.nan
    return rng.normal(0, 0.05, frames * 640).astype(np.float32), lips


def test_it_is_preferred_comes_along_and_is_small():
    assert PREFERRED["voice_separator"][0] == "compact" and choose("voice_separator") == "compact"
    path = weights(Compact.card)
    assert path.stat().st_size == Compact.card.size <= 5_000_000
    assert Compact.card.notes and Compact.card.licence == "Apache-2.0"


def test_it_has_learnt_from_the_lips_of_an_encoder_that_needs_no_download(compact):
    encoder = load(compact.lips)
    assert encoder.width == WIDTH and not encoder.card.sha256


@few
@given(seed=st.integers(0, 99), faces=st.integers(1, 3), frames=st.integers(1, 40))
def test_torch_and_the_graph_give_the_same(random_weights, seed, faces, frames):
    torch = pytest.importorskip("torch")
    from phonoscope.tasks.separation.networks.compact import Compact as Network

    path = random_weights(seed % 3)
    network = Network(WIDTH, 8, 12).eval()
    from safetensors.torch import load_file

    network.load_state_dict(load_file(path))
    sound, lips = given_at_random(seed, faces, frames)
    with torch.inference_mode():
        known = network(torch.from_numpy(sound)[None], torch.from_numpy(lips)[None])[0].numpy()
    assert np.abs(Compact(path)(sound, lips) - known).max() <= 1e-4 * max(1.0, float(np.abs(known).max()))


@few
@given(seed=st.integers(0, 99), frames=st.integers(2, 30))
def test_faces_in_another_order_give_voices_in_that_order(compact, seed, frames):
    sound, lips = given_at_random(seed, 3, frames)
    order = np.random.default_rng(seed).permutation(3)
    assert np.allclose(compact(sound, lips)[order], compact(sound, lips[order]), atol=1e-5)


@few
@given(
    faces=st.integers(0, 3),
    frames=st.integers(0, 12),
    samples=st.integers(0, 9000),
    gain=st.sampled_from([0, 1e-6, 1, 1e3]),
)
def test_there_is_a_voice_of_finite_numbers_for_every_face_and_sample(compact, faces, frames, samples, gain):
    sound = (gain * np.random.default_rng(samples).normal(0, 1, samples)).astype(np.float32)
    made = compact(sound, np.full((faces, frames, WIDTH), np.nan, np.float32))
    assert made.shape == (faces, samples) and made.dtype == np.float32 and np.isfinite(made).all()
    assert not made[:, frames * 640 :].any() and (gain or not made.any())


@few
@given(seed=st.integers(0, 99), gain=st.floats(0.05, 20))
def test_louder_sound_gives_louder_voices_and_no_others(compact, seed, gain):
    sound, lips = given_at_random(seed, 2, 10)
    known = gain * compact(sound, lips)
    assert np.abs(compact(sound * np.float32(gain), lips) - known).max() < 0.02 * np.abs(known).max()


@given(frames=st.integers(1, 20), seed=st.integers(0, 99))
def test_spectra_lead_back_to_the_sound(frames, seed):
    sound = np.random.default_rng(seed).normal(0, 0.1, frames * 640).astype(np.float32)
    assert np.abs(sound_of(spectra(sound)) - sound).max() < 1e-6


def test_what_it_cannot_take_is_refused(compact):
    sound, lips = given_at_random(0, 2, 5)
    with pytest.raises(ValueError, match="lips"):
        compact(sound, lips[:, :, :-1])
    with pytest.raises(ValueError, match="finite"):
        compact(np.full(3200, np.nan, np.float32), lips)


def test_blind_weights_and_those_of_another_network_are_refused(tmp_path):
    pytest.importorskip("torch")
    from phonoscope.tasks.separation.networks.compact import Compact as Network

    blind = tmp_path / "blind.safetensors"
    save_file({name: it.numpy() for name, it in Network(WIDTH, blind=True).state_dict().items()}, blind)
    with pytest.raises(UsageError, match="blind"):
        Compact(blind)
    save_file({"slight": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(UsageError):
        Compact(tmp_path / "other.safetensors")


def test_weights_of_a_run_name_the_lips_that_they_have_learnt_from(random_weights, tmp_path):
    sound, lips = given_at_random(0, 2, 5)
    assert Compact(random_weights(0)).lips == "mouth"
    wide = np.concatenate([lips, lips], 2)
    assert Compact(random_weights(0, 2 * WIDTH))(sound, wide).shape == (2, len(sound))


def test_a_network_is_small_and_begins_by_giving_everybody_half_of_the_mixture():
    torch = pytest.importorskip("torch")
    from phonoscope.tasks.separation.networks.compact import Compact as Network

    network = Network()
    assert sum(it.numel() for it in network.parameters()) <= 5_000_000
    sound, lips = given_at_random(0, 2, 25)
    with torch.inference_mode():
        made = network(torch.from_numpy(sound)[None], torch.from_numpy(lips)[None])[0].numpy()
    assert np.corrcoef(made[0], sound)[0, 1] > 0.9
    with pytest.raises(ValueError, match="samples"):
        network(torch.zeros(1, 100), torch.zeros(1, 2, 5, WIDTH))


def test_two_puppets_are_told_apart_by_their_mouths(compact):
    mouth = load("mouth")
    sounds = [voice(utter(Speech(number, turns, number), 4.0))[:64000] for number, turns in
              ((10, ((0.2, 3.8),)), (21, ((0.4, 3.6),)))]  # fmt: skip
    voices = np.stack([it / it.std() * 0.05 for it in sounds]).astype(np.float32)
    lips = np.stack([mouth(crops(driven(it, number), number, 100)) for number, it in enumerate(voices, 3)])
    mixture = voices.sum(0)
    gained = si_sdr_improvement(compact(mixture, lips), voices, mixture)
    swapped = si_sdr_improvement(compact(mixture, lips[::-1]), voices, mixture)
    assert gained.mean() > 2 and swapped.mean() < 0
