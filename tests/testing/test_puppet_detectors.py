"""Face detectors made for people find puppets, and put their boxes where truth has them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from phonoscope.models.registry import card_of, load
from phonoscope.models.weights import where
from phonoscope.testing import puppet
from phonoscope.testing.puppet import Head, Scene, Seat, Shot, Speech

Detector = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
CASTS = ((0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11), (12, 13, 14, 15))


def overlap(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """IoU of boxes (N, 4) with one box (4,), (N,)."""
    low, high = np.maximum(boxes[:, :2], truth[:2]), np.minimum(boxes[:, 2:], truth[2:])
    shared = np.prod(np.clip(high - low, 0, None), 1)
    return shared / (np.prod(boxes[:, 2:] - boxes[:, :2], 1) + np.prod(truth[2:] - truth[:2]) - shared)


def four(cast: tuple[int, ...], height: float) -> Scene:
    """Four people in a row, all talking, faces of this height in px."""
    step = round(1.45 * height)
    seats = tuple(Seat(n, (n + 0.5) * step, 0.95 * height, height, (-10.0, -4.0, 4.0, 10.0)[n]) for n in range(4))
    heads = tuple(Head(seed, Speech(seed, ((0.0, 1.2),))) for seed in cast)
    size = 4 * step // 2 * 2, round(2.1 * height) // 2 * 2
    return Scene(heads=heads, shots=(Shot(31, seats, cast[0]),), width=size[0], height=size[1])


def share_found(scene: Scene, detector: Detector, least: float, every: int = 10) -> tuple[float, list[float]]:
    """Share of visible faces found at a score and an overlap with truth of at least `least`, and the overlaps."""
    truth, found, overlaps = scene.truth, [], []
    for number, frame in enumerate(scene.frames()):
        if number % every:
            continue
        boxes, scores, _ = detector(np.ascontiguousarray(frame[..., ::-1]))
        assert len(boxes) <= len(truth.heads), "nothing else is taken for a face"
        for head in truth.heads:
            if head.visible[number]:
                best = overlap(boxes, head.box[number]).max(initial=0.0)
                overlaps.append(float(best))
                found.append(best >= least and scores.min() >= 0.5)
    return float(np.mean(found)), overlaps


@pytest.fixture(scope="module")
def yunet(shared_weights: Path) -> Detector:
    """The default face detector."""
    from phonoscope.models.backends.yunet import YuNet

    return YuNet(shared_weights / "yunet_n.onnx", min_score=0.6)


@pytest.fixture(scope="module")
def blazeface() -> Detector:
    """The other face detector, if its weights lie on this machine; they are not fetched for a test."""
    if where(card_of("blazeface")) is None:
        pytest.skip("no weights: BlazeFace's lie nowhere on this machine")
    return load("blazeface")


@pytest.mark.real
@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("height", [60, 120])
def test_yunet_finds_every_puppet_where_truth_has_it(yunet: Detector, cast: tuple[int, ...], height: int) -> None:
    share, overlaps = share_found(four(cast, height), yunet, least=0.5)
    assert share >= 0.95
    assert np.median(overlaps) > 0.75


@pytest.mark.real
def test_yunet_finds_a_large_puppet(yunet: Detector) -> None:
    scene = puppet.one_head(1.2, seed=8, width=1024, height=768, face_height=480)
    assert share_found(scene, yunet, least=0.5)[0] == 1.0


@pytest.mark.real
def test_yunet_puts_its_points_where_truth_has_them(yunet: Detector) -> None:
    scene = puppet.one_head(2.0, seed=3, turns=((0.0, 2.0),))
    truth = scene.truth.heads[0]
    away = []
    for number, frame in enumerate(scene.frames()):
        if number % 10 == 0:
            _, _, points = yunet(np.ascontiguousarray(frame[..., ::-1]))
            away.append(np.linalg.norm(points[0] - truth.points[number], axis=1))
    tall = (truth.box[:, 3] - truth.box[:, 1]).mean()
    assert np.mean(away) < 0.05 * tall
    assert np.max(away) < 0.12 * tall


@pytest.mark.real
def test_yunet_finds_nobody_in_an_empty_room(yunet: Detector) -> None:
    for seed in range(5):
        boxes, _, _ = yunet(np.ascontiguousarray(next(puppet.empty_room(0.1, seed=seed).frames())[..., ::-1]))
        assert len(boxes) == 0


@pytest.mark.parametrize("cast", CASTS)
def test_blazeface_finds_every_puppet(blazeface: Detector, cast: tuple[int, ...]) -> None:
    share, _ = share_found(four(cast, 100), blazeface, least=0.3)  # its boxes are square and lie lower
    assert share >= 0.95
