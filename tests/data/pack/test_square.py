"""The fixed camera: even, inside the picture, around the face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.faces import Track
from phonoscope.core.geometry import fixed_square
from phonoscope.data.pack.square import FixedSquare, square_around


def track_of(boxes: list[tuple[float, float, float, float]]) -> Track:
    box = np.array([(x, y, x + width, y + height) for x, y, width, height in boxes], np.float32)
    return Track(0, 3, box, np.ones(len(box), np.float32), np.ones(len(box), bool))


somewhere = st.floats(-500, 2500, allow_nan=False, width=32)
extent = st.floats(1, 1500, allow_nan=False, width=32)
tracks = st.lists(st.tuples(somewhere, somewhere, extent, extent), min_size=1, max_size=9).map(track_of)


@given(tracks, st.floats(0, 3), st.integers(2, 2000), st.integers(2, 2000))
def test_it_is_even_and_inside_and_as_large_and_as_near_as_can_be(track, expand, width, height):
    square = square_around(track, expand, width, height)
    assert square.x % 2 == square.y % 2 == square.side % 2 == 0 and square.side >= 2
    assert 0 <= square.x <= width - square.side and 0 <= square.y <= height - square.side
    x, y, wanted = fixed_square(track, expand)[0]
    assert square.side == max(2, min(int(wanted), width, height) // 2 * 2)
    for edge, centre, length in ((square.x, x, width), (square.y, y, height)):
        free = np.clip(centre - square.side / 2, 0, length - square.side)
        assert abs(edge - free) <= 1 + 1e-6


@given(tracks, st.lists(st.tuples(somewhere, somewhere), min_size=1), st.integers(2, 2000), st.integers(2, 2000))
def test_points_move_as_the_map_says(track, points, width, height):
    square = square_around(track, 0.6, width, height)
    there = np.array(points, np.float64)
    mapped = np.concatenate([there, np.ones((len(there), 1))], 1) @ square.matrix.T
    np.testing.assert_array_equal(square.to_crop(there), mapped)


def test_the_piece_is_a_view_of_the_picture():
    picture = np.arange(20 * 30 * 3).reshape(20, 30, 3)
    piece = FixedSquare(4, 2, 10).of(picture)
    assert piece.shape == (10, 10, 3) and piece.base is not None
    np.testing.assert_array_equal(piece[0, 0], picture[2, 4])


def test_a_picture_of_one_pixel_holds_no_square():
    with pytest.raises(ValueError, match="no square of even side fits into 1 × 9 px"):
        square_around(track_of([(0, 0, 1, 1)]), 0.6, 1, 9)
