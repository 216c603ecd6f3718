"""PNG files that others read as what was written."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phonoscope.data.pack.png import png


@given(rgb=st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(lambda size: arrays(np.uint8, (*size, 3))))
def test_another_reader_finds_the_same_pixels(rgb):
    there = cv2.imdecode(np.frombuffer(png(rgb), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(there[..., ::-1], rgb)


def test_a_piece_of_a_picture_will_do():
    picture = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    piece = picture[3:33, 7:27]
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(png(piece), np.uint8), 1)[..., ::-1], piece)
