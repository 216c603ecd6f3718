"""A fixed camera: one square of whole pixels for a clip, so that what is cut out are the film's own pixels."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.faces import Track
from phonoscope.core.geometry import fixed_square


@dataclass(frozen=True, slots=True)
class FixedSquare:
    """A square inside the upright picture; all numbers are even, so that colour planes of half the size are cut too."""

    x: int  # px, left edge
    y: int  # px, upper edge
    side: int  # px

    @property
    def matrix(self) -> np.ndarray:
        """Source px to crop px, (2, 3): a shift and nothing else."""
        return np.array([[1.0, 0.0, -self.x], [0.0, 1.0, -self.y]])

    def at(self, size: int) -> np.ndarray:
        """Source px to px of a crop of this size, (2, 3): a shift, then a scale."""
        return self.matrix * (size / self.side)

    def of(self, picture: np.ndarray) -> np.ndarray:
        """The piece of a picture (H, W, …) that it shows, (side, side, …), a view."""
        return picture[self.y : self.y + self.side, self.x : self.x + self.side]

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Points (…, 2) in source px as points in crop px."""
        return points - np.array([self.x, self.y], np.float64)


def square_around(track: Track, expand: float, width: int, height: int) -> FixedSquare:
    """The square of the `fixed` policy, `expand` wider than the face, made to fit a picture of this size.

    Its side is the median of the face's rounded down to an even number, at most the picture's shorter side; it is
    centred on the median of the face, within a pixel, and shifted to lie inside the picture.

    Raises:
        ValueError: the picture is too small to hold even the smallest square.
    Source: `extract_cropped_faces.py` of talking_face_preprocessing, which caps the side in the same way.
    """
    if min(width, height) < 2:
        raise ValueError(f"no square of even side fits into {width} × {height} px")
    x, y, wanted = fixed_square(track, expand)[0]
    side = max(2, _even_below(min(wanted, width, height)))
    return FixedSquare(_edge(x, side, width), _edge(y, side, height), side)


def _edge(centre: float, side: int, length: int) -> int:
    """The even edge of a run of `side` px that is centred at `centre` as nearly as a line of `length` px allows."""
    nearest = 2 * round((centre - side / 2) / 2)
    return min(max(nearest, 0), _even_below(length - side))


def _even_below(length: float) -> int:
    return int(length) // 2 * 2
