"""The scorer that comes with phonoscope: its file, its two forms, what it must do on drawn heads, and on real ones."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from phonoscope.core.errors import UsageError
from phonoscope.core.geometry import central, crop_track
from phonoscope.media.warp import warp
from phonoscope.metrics.ranking import average_precision
from phonoscope.models import load
from phonoscope.models.backends.tiny import Tiny, entries, movement
from phonoscope.models.cards import card_of_file
from phonoscope.models.hashes import sha256_of
from phonoscope.models.registry import calibration_of
from phonoscope.models.weights import weights
from phonoscope.testing.puppet import Head, Scene, Seat, Shot, Speech

CONTEXT = Tiny.context  # frames
PER_FRAME = 640  # samples at 25 frames a second
few = settings(max_examples=12, deadline=None)


@pytest.fixture(scope="module")
def tiny() -> Tiny:
    return load("tiny")


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory) -> Callable[[int], Path]:
    folder = tmp_path_factory.mktemp("weights")

    def write(seed: int) -> Path:
        rng, path = np.random.default_rng(seed), folder / f"{seed}.safetensors"
        save_file({name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in entries().items()}, path)
        return path

    return write


@cache
def talker(seed: int, frames: int = 150, *, pauses: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces (T, 112, 112), voice (640 T,) and when it speaks (T,) of a drawn head."""
    seconds = frames / 25
    turns = ((0.3, seconds / 2 - 0.5), (seconds / 2 + 0.3, seconds - 0.2)) if pauses else ((0.0, seconds),)
    heads = (Head(seed, Speech(seed + 1000, turns, seed + 2000)),)
    shot = Shot(frames, (Seat(0, 112, 112, 120),), seed)
    scene = Scene(heads=heads, shots=(shot,), width=224, height=224)
    truth = scene.truth
    crop = central(crop_track(truth.tracks().tracks[0], "asd"), 112)
    grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in scene.frames())
    faces = np.stack([warp(plane, crop.matrix[at], (112, 112), 110) for at, plane in enumerate(grey)])
    return faces, scene.audio(), truth.heads[0].speaking


def hush(frames: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 2e-4, frames * PER_FRAME).astype(np.float32)


def test_the_file_that_comes_along_is_the_cards_and_small():
    path = weights(Tiny.card)
    assert path.parent.name == "backends"
    assert sha256_of(path) == Tiny.card.sha256
    assert path.stat().st_size == Tiny.card.size <= 1_000_000


def test_the_file_says_what_it_is():
    path = weights(Tiny.card)
    assert card_of_file(path, Tiny.card).licence == Tiny.card.licence == "Apache-2.0"
    assert {name: tensor.shape for name, tensor in load_file(path).items()} == entries()


def test_its_own_weights_have_a_calibration_and_others_have_none(tiny, random_weights):
    assert tiny.calibration == calibration_of("tiny") == Tiny.calibrations["v1"]
    assert Tiny.calibrations.keys() == Tiny.cards.keys()
    path = random_weights(0)
    assert Tiny(path, card=card_of_file(path, Tiny.card)).calibration is None


def test_it_is_found_where_there_is_neither_cache_nor_mirror(tmp_path, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_HOME", str(tmp_path))
    monkeypatch.delenv("PHONOSCOPE_MODELS", raising=False)
    assert load("tiny").card is Tiny.card


@few
@given(seed=st.integers(0, 99), frames=st.integers(1, 150), still=st.booleans())
def test_numpy_says_what_pytorch_says(random_weights, seed, frames, still):
    torch = pytest.importorskip("torch")
    from phonoscope.tasks.asd.networks.tiny import Tiny as Network

    path, rng = random_weights(seed), np.random.default_rng(seed)
    network = Network().eval()
    network.load_state_dict({name: torch.from_numpy(value) for name, value in load_file(path).items()})
    faces = rng.integers(0, 256, (frames, 112, 112)).astype(np.uint8)
    if still:
        faces[:] = faces[0]
    mfcc = rng.normal(0, 12, (4 * frames, 13)).astype(np.float32)
    with torch.inference_mode():
        said = network(torch.from_numpy(mfcc)[None], torch.from_numpy(faces)[None].float()).av[0].numpy()
    np.testing.assert_allclose(Tiny(path).logits(mfcc, faces), said, atol=1e-4)


@few
@given(frames=st.integers(1, 260), piece=st.integers(20, 150), seed=st.integers(0, 9))
def test_pieces_with_context_score_as_the_whole_does(random_weights, frames, piece, seed):
    made, rng = Tiny(random_weights(seed)), np.random.default_rng(seed)
    faces = rng.integers(0, 256, (frames, 112, 112)).astype(np.uint8)
    audio = (rng.normal(0, 0.1, frames * PER_FRAME) * np.repeat(rng.uniform(0, 1, frames), PER_FRAME)).astype(
        np.float32
    )
    whole = made(faces, audio)
    for start in range(0, frames, piece):
        first, last = max(0, start - CONTEXT), min(frames, start + piece + CONTEXT)
        part = made(faces[first:last], audio[first * PER_FRAME : last * PER_FRAME])[start - first :][:piece]
        np.testing.assert_allclose(part[: frames - start], whole[start : start + piece], atol=1e-4)


def test_what_lies_beyond_its_context_changes_nothing(tiny):
    faces, audio, _ = talker(3)
    other, noise = faces.copy(), audio.copy()
    other[100:], noise[100 * PER_FRAME :] = 0, 0.3
    near = 100 - CONTEXT
    np.testing.assert_allclose(tiny(other, noise)[:near], tiny(faces, audio)[:near], atol=1e-5)
    assert np.abs(tiny(other, noise)[near:] - tiny(faces, audio)[near:]).max() > 0.1


@few
@given(frames=st.integers(0, 40), samples=st.integers(0, 40 * PER_FRAME))
def test_any_lengths_give_one_finite_score_a_frame(tiny, frames, samples):
    made = tiny(np.full((frames, 112, 112), 90, np.uint8), np.full(samples, 0.1, np.float32))
    assert made.shape == (frames,)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()


@pytest.mark.parametrize("first", [501, 601, 701])
def test_of_drawn_heads_that_all_talk_and_rest_at_once_the_one_that_is_heard_scores_best(tiny, first):
    heads = [talker(first + number) for number in range(3)]
    truth = np.concatenate([face[2] & (face is voice) for voice in heads for face in heads])

    def found(scorer: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> float:
        return average_precision(
            truth, np.concatenate([scorer(face[0], voice[1]) for voice in heads for face in heads])
        )

    assert found(tiny) > truth.mean() + 0.1
    assert found(tiny) > found(load("motion")) + 0.03


def test_a_wrong_dub_and_silence_score_lower(tiny):
    losses = []
    for seed in (511, 512, 513, 514):
        faces, own, speaks = talker(seed, pauses=False)
        _, other, _ = talker(seed + 100, pauses=False)
        mine, dubbed, nothing = (tiny(faces, sound)[speaks].mean() for sound in (own, other, hush(len(faces))))
        assert mine > 0 > -1 > nothing
        losses.append(mine - dubbed)
    assert min(losses) > 0
    assert np.mean(losses) > 0.75


def test_sound_that_comes_late_scores_lower(tiny):
    losses = []
    for seed in (521, 522, 523):
        faces, own, speaks = talker(seed, pauses=False)
        losses.append(tiny(faces, own)[speaks].mean() - tiny(faces, np.roll(own, 10 * PER_FRAME))[speaks].mean())
    assert min(losses) > 0
    assert np.mean(losses) > 0.5


def test_movement_of_the_head_is_not_taken_for_the_mouths():
    face = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (160, 160)).astype(np.float32), (0, 0), 3)
    face = np.clip(128 + 6 * (face - face.mean()), 0, 255)
    moved = [face[20 + y : 132 + y, 24:136] for y in (np.arange(40) % 3)]
    shaken = np.stack([*moved]).astype(np.uint8)
    mouth = shaken.copy()
    mouth[::2, 55:75, 40:72] //= 2
    assert movement(mouth)[1:, 0].mean() > movement(shaken)[1:, 0].mean() + 1


def test_a_picture_that_is_shown_twice_changes_little(tiny):
    faces, audio, _ = talker(531)
    stuttering = faces.copy()
    stuttering[10::12] = faces[9::12][: len(stuttering[10::12])]
    assert np.abs(tiny(stuttering, audio) - tiny(faces, audio)).mean() < 0.5


def test_film_of_another_rate_hears_the_same_sound():
    faces, audio, _ = talker(541)
    scores = load("tiny").at(Fraction(30000, 1001))(faces, audio)
    assert scores.shape == (len(faces),)
    with pytest.raises(UsageError, match=r"25 frames a second, not 60: make the store at --clock\.fps 25"):
        load("tiny").at(Fraction(60))


@pytest.mark.parametrize(
    ("faces", "audio", "said"),
    [
        (np.zeros((4, 96, 96), np.uint8), np.zeros(9, np.float32), r"faces \(T, 112, 112\) uint8, got \(4, 96, 96\)"),
        (np.zeros((4, 112, 112), np.float32), np.zeros(9, np.float32), "uint8, got .* float32"),
        (np.zeros((4, 112, 112), np.uint8), np.zeros((2, 9), np.float32), r"audio \(N,\) float, got \(2, 9\)"),
        (np.zeros((4, 112, 112), np.uint8), np.zeros(9, np.int16), "got .* int16"),
    ],
)
def test_wrong_arrays_are_refused_in_words(tiny, faces, audio, said):
    with pytest.raises(ValueError, match=said):
        tiny(faces, audio)


def test_weights_of_another_network_are_refused(tmp_path):
    save_file({"lossAV.FC.weight": np.zeros((2, 128), np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match="tiny"):
        Tiny(tmp_path / "other.safetensors")
