"""Views of a picture: sizes, greys, colours and crops."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.media.picture import Picture, Shown
from phonoscope.media.upright import Upright

UPRIGHTS = [Upright(t, m, f) for t in (False, True) for m in (False, True) for f in (False, True)]


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A soft random picture (H, W, 3) uint8."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    soft = np.asarray(cv2.GaussianBlur(noise.astype(np.float32), (0, 0), 4))
    return (30 + 190 * (soft - soft.min()) / (soft.max() - soft.min())).astype(np.uint8)


def shown(frame: VideoFrame, upright: Upright = Upright(), size: tuple[int, int] | None = None) -> Picture:  # noqa: B008
    return Picture(0, Shown(frame, size or (frame.width, frame.height), upright))


def grey_frame(grey: np.ndarray) -> VideoFrame:
    """A full-range frame whose luma is `grey`."""
    height, width = grey.shape
    packed = np.concatenate([grey.ravel(), np.full(height * width // 2, 128, np.uint8)])
    return VideoFrame.from_ndarray(packed.reshape(height * 3 // 2, width), "yuvj420p")


@settings(max_examples=40, deadline=None)
@given(upright=st.sampled_from(UPRIGHTS), x=st.integers(0, 6), y=st.integers(0, 4))
def test_turning_moves_pixels_where_the_matrix_says(upright: Upright, x: int, y: int):
    stored = np.zeros((5, 7), np.uint8)
    stored[y, x] = 1
    at = upright.matrix(7, 5) @ (x + 0.5, y + 0.5, 1)
    row, column = np.argwhere(upright.turn(stored))[0]
    assert (column + 0.5, row + 0.5) == (at[0], at[1])
    assert upright.turn(stored).shape == upright.size(7, 5)[::-1]


@settings(max_examples=30, deadline=None)
@given(upright=st.sampled_from(UPRIGHTS), left=st.integers(0, 30), top=st.integers(0, 20))
def test_a_crop_at_whole_pixels_is_a_slice(upright: Upright, left: int, top: int):
    stored = smooth(48, 64)[..., 0]
    picture = shown(grey_frame(stored), upright)
    want = upright.turn(stored)[top : top + 16, left : left + 12]
    got = picture.crop_grey(np.array([[1.0, 0, -left], [0, 1, -top]]), (16, 12), 0)
    assert np.array_equal(got, np.pad(want, ((0, 16 - want.shape[0]), (0, 12 - want.shape[1]))))


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.05, 3), angle_deg=st.floats(-40, 40), seed=st.integers(0, 5))
def test_a_crop_shows_what_lies_there(scale: float, angle_deg: float, seed: int):
    """A ramp is warped into the ramp that the matrix says, to within a level, at any scale and angle."""
    y, x = np.mgrid[:200, :240] + 0.5
    ramp = 20 + 0.5 * x + 0.4 * y
    turn = np.array([[np.cos(a := np.radians(angle_deg)), -np.sin(a)], [np.sin(a), np.cos(a)]]) * scale
    rng = np.random.default_rng(seed)
    centre = rng.uniform(90, 110, 2)
    matrix = np.column_stack([turn, (8, 8) - turn @ centre])
    crop = shown(grey_frame(np.rint(ramp).astype(np.uint8))).crop_grey(matrix, (16, 16), 255)
    cy, cx = np.mgrid[:16, :16] + 0.5
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]])) @ np.stack([cx.ravel(), cy.ravel(), np.ones(256)])
    room = 2 / scale + 2
    inside = (back[0] > room) & (back[0] < 240 - room) & (back[1] > room) & (back[1] < 200 - room)
    assert np.abs(crop.ravel() - (20 + 0.5 * back[0] + 0.4 * back[1]))[inside].max(initial=0) <= 1.5


def test_shrinking_does_not_alias():
    stripes = np.zeros((400, 400), np.uint8)
    stripes[:, ::2] = 255
    crop = shown(grey_frame(stripes)).crop_grey(np.array([[0.1, 0, 0], [0, 0.1, 0]]), (40, 40), 0)
    assert np.abs(crop[2:-2, 2:-2].astype(int) - 128).max() <= 2


def test_limited_range_grey_goes_from_black_to_white():
    frame = VideoFrame(8, 8, "yuv420p")
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    assert shown(frame).luma((8, 8)).max() == 0
    frame.planes[0].update(bytes([235]) * frame.planes[0].buffer_size)
    assert shown(frame).luma((8, 8)).min() == 255
    frame.color_range = ColorRange.JPEG
    assert shown(frame).luma((8, 8)).max() == 235


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "nv12", "yuv422p10le", "yuv444p", "gray", "rgb24", "bgra"])
@pytest.mark.parametrize("size", [(96, 128), (97, 131)])
def test_every_format_looks_the_same(pix_fmt: str, size: tuple[int, int]):
    rgb = smooth(*size)
    if pix_fmt == "gray":
        rgb = np.repeat(rgb[..., :1], 3, 2)
    frame = VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=pix_fmt)
    picture = shown(frame)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(int)
    assert np.abs(picture.luma(size).astype(int) - grey).mean() < 2
    assert np.abs(picture.bgr(size)[..., ::-1].astype(int) - rgb).mean() < 4
    assert np.abs(picture.rgb().astype(int) - rgb).mean() < 4
    matrix = np.array([[1.0, 0, 0], [0, 1, 0]])
    even = (size[0] // 2 * 2, size[1] // 2 * 2)
    assert np.abs(picture.crop_rgb(matrix, even, 0).astype(int) - rgb[: even[0], : even[1]]).mean() < 4
    crop = picture.crop_yuv(matrix, even, 0)
    assert (crop.format.name, crop.height, crop.width) == ("yuv420p", *even)
    assert np.abs(crop.to_ndarray(format="rgb24").astype(int) - rgb[: even[0], : even[1]]).mean() < 5


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p"])
def test_outside_the_picture_is_the_border(pix_fmt: str):
    picture = shown(VideoFrame.from_ndarray(smooth(48, 64), "rgb24").reformat(format=pix_fmt))
    away = np.array([[1.0, 0, 500], [0, 1, 500]])
    assert (picture.crop_grey(away, (8, 8), 110) == 110).all()
    assert np.abs(picture.crop_rgb(away, (8, 8), 110).astype(int) - 110).max() <= 1
    assert np.abs(picture.crop_yuv(away, (8, 8), 110).to_ndarray(format="rgb24").astype(int) - 110).max() <= 2
    assert (picture.crop_rgb(away, (8, 8), 0) == 0).all()


def test_a_picture_of_another_size_is_shown_at_the_films():
    rgb = smooth(48, 64)
    small = VideoFrame.from_ndarray(rgb, "rgb24").reformat(32, 24, format="yuv420p")
    picture = shown(small, size=(64, 48))
    assert picture.rgb().shape == (48, 64, 3)
    assert np.abs(picture.luma((48, 64)).astype(int) - cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)).mean() < 4


def test_a_picture_made_of_an_array_gives_it_back():
    rgb = smooth(31, 45)
    picture = Picture.from_rgb(rgb, 7)
    assert (picture.frame, picture.width, picture.height) == (7, 45, 31)
    assert np.array_equal(picture.rgb(), rgb)
    assert picture.bgr((10, 12)) is picture.bgr((10, 12))


def test_an_odd_crop_cannot_be_a_video_frame():
    with pytest.raises(ValueError, match="even sides"):
        Picture.from_rgb(smooth(16, 16)).crop_yuv(np.eye(2, 3), (15, 16), 0)


def test_colours_are_those_that_pyav_gives(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("colour") / "film.mkv"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=Fraction(25), options={"colorprim": "bt709", "colormatrix": "bt709"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = 1
        frame = VideoFrame.from_ndarray(smooth(48, 64), "rgb24").reformat(format="yuv420p", dst_colorspace=1)
        film.mux([*stream.encode(frame), *stream.encode(None)])
    with av.open(str(path)) as film:
        frame = next(film.decode(video=0))
    assert np.array_equal(shown(frame).rgb(), frame.to_ndarray(format="rgb24"))
    assert np.abs(shown(frame).rgb().astype(int) - smooth(48, 64)).mean() < 6
