"""Ink on pictures (H, W, 3) uint8 RGB; everything is drawn in place and cut at the edges."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phonoscope.media.font import ADVANCE, HEIGHT, text_mask

Colour = tuple[int, int, int]

PAPER, INK, SOFT, LINE = (255, 254, 251), (29, 33, 38), (90, 95, 102), (222, 219, 210)
SPEAKING, SILENT, BLUE, AMBER = (60, 190, 120), (150, 160, 170), (61, 111, 142), (211, 154, 47)
RED = (200, 55, 50)
HUES = (  # told apart by colour-blind eyes too, and from the green of speaking (after Okabe and Ito, 2008)
    (64, 160, 220),
    (230, 159, 0),
    (204, 121, 167),
    (213, 94, 0),
    (0, 100, 178),
    (130, 100, 225),
    (150, 115, 75),
)


def blank(height: int, width: int, colour: Colour = PAPER) -> np.ndarray:
    """An empty picture."""
    return np.full((height, width, 3), colour, np.uint8)


def text_width(text: str, scale: int = 1) -> int:
    """How wide a line of text is, px."""
    return max(0, len(text) * ADVANCE - 1) * scale


def write(picture: np.ndarray, x: int, y: int, text: str, colour: Colour = INK, scale: int = 1) -> None:
    """A line of text whose upper left corner is (x, y)."""
    mask = text_mask(text, scale)
    top, left = max(0, -y), max(0, -x)
    under = picture[max(0, y) : max(0, y + mask.shape[0]), max(0, x) : max(0, x + mask.shape[1])]
    under[mask[top : top + under.shape[0], left : left + under.shape[1]]] = colour


def fill(picture: np.ndarray, x0: int, y0: int, x1: int, y1: int, colour: Colour) -> None:
    """A filled rectangle, half-open."""
    picture[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = colour


def outline(picture: np.ndarray, box: np.ndarray, colour: Colour, width: int = 2) -> None:
    """A box (4,) xyxy px as a frame of lines, its outer edge on the box."""
    x0, y0, x1, y1 = (round(float(edge)) for edge in box)
    fill(picture, x0, y0, x1, y0 + width, colour)
    fill(picture, x0, y1 - width, x1, y1, colour)
    fill(picture, x0, y0, x0 + width, y1, colour)
    fill(picture, x1 - width, y0, x1, y1, colour)


def tag(picture: np.ndarray, x: int, y: int, text: str, colour: Colour, scale: int = 1) -> None:
    """Text on a coloured label that stands on (x, y), or hangs from it at the upper edge."""
    pad = 2 * scale
    height, width = HEIGHT * scale + 2 * pad, text_width(text, scale) + 2 * pad
    x = max(0, min(x, picture.shape[1] - width))
    y = y - height if y >= height else y
    fill(picture, x, y, x + width, y + height, colour)
    bright = sum(colour) > 330
    write(picture, x + pad, y + pad, text, INK if bright else PAPER, scale)


def hue(track: int) -> Colour:
    """A track's colour."""
    return HUES[track % len(HUES)]


class Mark(NamedTuple):
    """A box with its label."""

    box: np.ndarray  # (4,) xyxy px of the source
    label: str
    colour: Colour


def put(picture: np.ndarray, marks: Sequence[Mark], scale: float = 1.0) -> None:
    """Draw marks on a picture (H, W, 3) that is `scale` times as large as the source."""
    large = max(picture.shape[:2]) >= 480
    thick, size = (3, 2) if large else (2, 1)
    for mark in marks:
        box = mark.box * scale
        outline(picture, box, mark.colour, thick)
        tag(picture, round(float(box[0])), round(float(box[1])), mark.label, mark.colour, size)
