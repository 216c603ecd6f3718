"""The face detector whose weights come from a package index: its tiles, how it merges them, what it finds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.geometry import iou
from phonoscope.models.backends.blazeface import MAX_TILE, MIN_TILE, BlazeFace, is_cut, merge, shrunk, tiles
from phonoscope.models.cards import Card

Scene = list[tuple[np.ndarray, np.ndarray]]
side = st.integers(1, 2500)


@given(side, side)
def test_the_first_tile_holds_the_whole_picture_and_the_others_lie_in_it_where_it_is_large_enough(
    height: int, width: int
) -> None:
    whole, *others = tiles(height, width)
    assert whole == (0, 0, max(height, width, 2 * min(height, width)))
    assert others
    for top, left, size in others:
        assert MIN_TILE <= size <= MAX_TILE
        assert 0 <= top <= max(0, height - size)
        assert 0 <= left <= max(0, width - size)


@given(side, side, st.data())
def test_a_face_up_to_half_a_tile_is_whole_in_some_tile(height: int, width: int, data: st.DataObject) -> None:
    largest = min(height, width, MAX_TILE) // 2 - 1
    if largest < 1:
        return
    size = data.draw(st.integers(1, largest))
    y, x = data.draw(st.integers(0, height - size)), data.draw(st.integers(0, width - size))
    face = np.array([[x, y, x + size, y + size]], np.float32)
    small = tiles(height, width)[-1][2]
    assert any(
        not is_cut(face, tile, height, width)[0] and top <= y < top + small and left <= x < left + small
        for tile in tiles(height, width)
        for top, left, _ in [tile]
    )


@given(st.integers(1, 4000), st.integers(1, MIN_TILE))
def test_a_sliver_is_seen_in_few_tiles(length: int, width: int) -> None:
    others = tiles(length, width)[1:]
    assert len(others) == len(tiles(width, length)[1:]) <= 1 + -(-2 * length // MIN_TILE)


def test_a_wide_picture_is_seen_from_afar_and_in_three_overlapping_squares() -> None:
    assert tiles(720, 1280) == [(0, 0, 1440), (0, 0, 720), (0, 280, 720), (0, 560, 720)]


@given(st.integers(8, 300), st.integers(8, 300), st.data())
def test_what_the_network_sees_is_led_back_to_where_it_lies(height: int, width: int, data: st.DataObject) -> None:
    tile = data.draw(st.sampled_from(tiles(height, width)))
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    ramp = np.stack([0 * across, down * 200 / height, across * 200 / width], 2).round().astype(np.uint8)  # BGR
    seen, scale, shift = shrunk(ramp, tile)
    assert seen.shape == (192, 192, 3)
    assert (seen[..., 2] == -1).all()  # blue is last, and black
    y, x = np.nonzero(seen[..., 0] > -0.9)
    red = (seen[y, x, 0] + 1) * 255 / 2 / 200 * width + 0.5  # the x, in px of the picture, that this grey stands for
    green = (seen[y, x, 1] + 1) * 255 / 2 / 200 * height + 0.5
    back = (np.stack([x, y], 1) + 0.5) * scale + shift
    inner = (back > 2 * scale) & (back < [width, height] - 2 * scale)
    off = np.abs(back - np.stack([red, green], 1))[inner]
    assert off.max(initial=0) < 1 + 0.6 * max(height, width) / 200 + 0.5 * scale.max()


def faces(*rows: tuple[float, float, float, float, float, bool]) -> tuple[np.ndarray, ...]:
    """Boxes, scores, points and cut, from (x0, y0, x1, y1, score, cut)."""
    table = np.array([row[:5] for row in rows], np.float32).reshape(-1, 5)
    points = np.repeat(table[:, None, :2], 6, axis=1)
    return table[:, :4], table[:, 4], points, np.array([row[5] for row in rows], bool)


def test_a_face_seen_in_two_tiles_is_one_face_between_them() -> None:
    boxes, scores, points = merge(*faces((0, 0, 100, 100, 0.6, False), (10, 0, 110, 100, 0.9, False)))
    assert np.allclose(boxes, [[6, 0, 106, 100]])
    assert scores.tolist() == [np.float32(0.9)]
    assert np.allclose(points[0, :3], [6, 0])
    assert np.isnan(points[0, 3:]).all()


def test_a_face_cut_by_its_tile_yields_to_the_whole_one_even_with_a_better_score() -> None:
    boxes, scores, _ = merge(*faces((60, 0, 100, 100, 0.95, True), (0, 0, 100, 100, 0.7, False)))
    assert boxes.tolist() == [[0, 0, 100, 100]]
    assert scores.tolist() == [np.float32(0.7)]


def test_a_face_that_every_tile_cuts_is_still_found() -> None:
    boxes, _, _ = merge(*faces((60, 0, 100, 100, 0.95, True)))
    assert boxes.tolist() == [[60, 0, 100, 100]]


def test_a_whole_small_face_in_front_of_a_large_one_stays() -> None:
    boxes, _, _ = merge(*faces((0, 0, 100, 100, 0.9, False), (60, 60, 95, 95, 0.8, False)))
    assert len(boxes) == 2


def test_nothing_merges_to_nothing() -> None:
    boxes, scores, points = merge(*faces())
    assert (boxes.shape, scores.shape, points.shape) == ((0, 4), (0,), (0, 5, 2))
    assert boxes.dtype == scores.dtype == points.dtype == np.float32


@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(5, 40), st.floats(0.5, 1), st.booleans()))
)
def test_merging_is_in_order_of_score_and_does_not_depend_on_the_order_of_tiles(
    rows: list[tuple[int, int, int, float, bool]],
) -> None:
    seen = faces(*((x, y, x + size, y + size, score, cut) for x, y, size, score, cut in rows))
    boxes, scores, _ = merge(*seen)
    assert (scores[:-1] >= scores[1:]).all()
    assert len(boxes) <= len(rows)
    if len(set(seen[1].tolist())) == len(rows):
        again = merge(*(part[::-1] for part in seen))
        assert np.allclose(again[0], boxes, atol=1e-4)
        assert np.array_equal(again[1], scores)


@pytest.fixture(scope="module")
def blazeface(from_index: Callable[[Card], Path]) -> BlazeFace:
    return BlazeFace(from_index(BlazeFace.card), min_score=0.6)


@pytest.mark.real
def test_it_finds_every_face_and_nothing_else_in_scenes_of_three(blazeface: BlazeFace, scene: Scene) -> None:
    import cv2

    hits = found = 0
    for image, truth in scene:
        for scale in (1.0, 0.5):
            boxes, _, points = blazeface(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
            overlap = iou(truth * scale, boxes)
            hits += (overlap.max(axis=1, initial=0) > 0.4).sum()
            found += len(boxes)
            assert np.isfinite(points[:, :3]).all()
            assert (points[:, 0, 0] < points[:, 1, 0]).all()  # the right eye is to the left in the picture
    assert hits >= 0.95 * 6 * len(scene)
    assert found == hits


@pytest.mark.real
def test_a_face_larger_than_any_tile_is_found_once(blazeface: BlazeFace, scene: Scene) -> None:
    import cv2

    image, truth = scene[0]
    x0, y0, x1, y1 = truth[2].round().astype(int)
    face = image[y0 - 40 : y1 + 40, x0 - 40 : x1 + 40]
    large = cv2.resize(face, (700, 700), interpolation=cv2.INTER_CUBIC)
    wide = np.full((700, 1240, 3), 96, np.uint8)
    wide[:, 270:970] = large
    boxes, _, _ = blazeface(wide)
    assert len(boxes) == 1


def test_the_same_picture_gives_the_same_bytes(from_index: Callable[[Card], Path]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    eager = [BlazeFace(from_index(BlazeFace.card), min_score=0.0) for _ in range(2)]
    one, other = (detector._look(noise, (0, 0, 160)) for detector in eager)
    assert len(one[0]) == 48 * 48
    assert [part.tobytes() for part in one] == [part.tobytes() for part in other]


@pytest.mark.parametrize("shape", [(1, 1), (37, 501), (360, 640)])
def test_an_empty_picture_of_any_size_has_no_face(blazeface: BlazeFace, shape: tuple[int, int]) -> None:
    boxes, scores, points = blazeface(np.full((*shape, 3), 128, np.uint8))
    assert (boxes.shape, scores.shape, points.shape) == ((0, 4), (0,), (0, 5, 2))


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture_is_refused(blazeface: BlazeFace, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected an image"):
        blazeface(image)
