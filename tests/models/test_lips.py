"""What reads lips: rows that are finite, the same in any light, local in time, and that follow a mouth that opens."""

from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.geometry import central, crop_track
from phonoscope.media.warp import warp
from phonoscope.models import load
from phonoscope.models.backends.mouth import LOOKS, Mouth
from phonoscope.models.protocols import LipEncoder
from phonoscope.models.registry import card_of, choose
from phonoscope.models.weights import where
from phonoscope.testing.fakes import FakeLipEncoder
from phonoscope.testing.puppet import one_head

few = settings(max_examples=8, deadline=None)


def check_types() -> tuple[LipEncoder, LipEncoder]:
    """For the type checker: each satisfies its protocol."""
    return Mouth(), FakeLipEncoder()


@cache
def puppet(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Faces (T, 112, 112) uint8 of a drawn head that talks for 4 s, and how far its mouth is open (T,)."""
    scene = one_head(4.0, seed=seed, width=224, height=224, face_height=120)
    crop = central(crop_track(scene.truth.tracks().tracks[0], "asd"), 112)
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in scene.frames()]
    faces = np.stack([warp(plane, crop.matrix[at], (112, 112), 110) for at, plane in enumerate(grey)])
    return faces, scene.truth.heads[0].open


@pytest.fixture(scope="module", params=["mouth", "lr-asd-lips", "fake"])
def encoder(request: pytest.FixtureRequest) -> LipEncoder:
    if request.param == "fake":
        return FakeLipEncoder()
    card = card_of(request.param)
    if card.sha256 and where(card) is None:
        pytest.skip("no weights: those of LR-ASD lie nowhere here")
    return load(request.param)


@cache
def whole(encoder: LipEncoder) -> np.ndarray:
    return encoder(puppet(0)[0])


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 40])
def test_every_face_has_a_row_of_finite_numbers(encoder: LipEncoder, frames: int):
    rows = encoder(puppet(0)[0][:frames])
    assert rows.shape == (frames, encoder.width)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_the_same_faces_give_the_same_bytes(encoder: LipEncoder):
    assert encoder(puppet(1)[0]).tobytes() == encoder(puppet(1)[0].copy()).tobytes()


@few
@given(start=st.integers(0, 60), length=st.integers(1, 40))
def test_a_piece_with_its_context_gives_the_rows_of_the_whole(encoder: LipEncoder, start: int, length: int):
    faces = puppet(0)[0]
    first, stop = max(start - encoder.context, 0), min(start + length + encoder.context, len(faces))
    made = encoder(faces[first:stop])[start - first :][:length]
    np.testing.assert_allclose(made, whole(encoder)[start : start + length], atol=1e-4)


@pytest.mark.parametrize("level", [0, 110, 255])
def test_a_blank_face_has_finite_rows_without_looks_or_change(level: int):
    rows = Mouth()(np.full((5, 112, 112), level, np.uint8))
    assert np.isfinite(rows).all()
    assert not rows[:, : 2 * LOOKS].any()


@few
@given(seed=st.integers(0, 2), gain=st.floats(0.4, 1.0), rest=st.floats(0.0, 1.0))
def test_rows_do_not_depend_on_the_light(seed: int, gain: float, rest: float):
    faces = puppet(seed)[0]
    lit = np.rint(faces * gain + rest * (255 - faces.max() * gain)).astype(np.uint8)
    want, made = Mouth()(faces), Mouth()(lit)
    error = np.sqrt(((made - want) ** 2).mean(0)) / np.maximum(want.std(0), 0.3)
    assert error.max() < 0.25, "what whole grey levels lose"


@pytest.mark.parametrize("seed", range(3))
def test_looks_follow_a_mouth_that_opens(seed: int):
    faces, open_ = puppet(seed)
    rows, before = Mouth()(faces), np.roll(open_, 1)
    looks, change = rows[:, :LOOKS], rows[:, LOOKS : 2 * LOOKS]
    assert max(abs(np.corrcoef(look, open_)[0, 1]) for look in looks.T) > 0.9
    opens = np.abs(open_ - before)[1:]
    assert np.corrcoef(np.abs(change[1:]).sum(1), opens)[0, 1] > 0.8


@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_of_movement_are_those_of_tiny_but_for_the_light(seed: int):
    from phonoscope.models.backends.tiny import movement

    faces, _ = puppet(seed)
    rows = Mouth()(faces)[:, 2 * LOOKS :]
    assert all(np.corrcoef(one, other)[0, 1] > 0.95 for one, other in zip(rows.T, movement(faces).T, strict=True))


def test_no_face_is_taken_for_another_shape():
    with pytest.raises(ValueError, match=r"expected faces \(T, 112, 112\) uint8, got \(3, 88, 88\) uint8"):
        Mouth()(np.zeros((3, 88, 88), np.uint8))


def test_auto_means_the_one_that_needs_no_weights():
    assert choose("lip_encoder") == "mouth"
    assert load("mouth").card.identity == "mouth@1"
