"""Turning stored pictures upright, as a film's display matrix asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from av.buffer import Buffer
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame


@dataclass(frozen=True, slots=True)
class Upright:
    """One of the eight ways in which a stored picture can be turned and mirrored to stand upright."""

    transposed: bool = False  # first exchange x and y,
    mirrored: bool = False  # then left and right,
    flipped: bool = False  # then top and bottom

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of a picture after turning, from those before; or the other way round."""
        return (height, width) if self.transposed else (width, height)

    def turn(self, image: np.ndarray) -> np.ndarray:
        """An image (H, W, …) turned upright, contiguous in memory."""
        if self.transposed:
            image = image.swapaxes(0, 1)
        if self.mirrored:
            image = image[:, ::-1]
        if self.flipped:
            image = image[::-1]
        return np.ascontiguousarray(image)

    def matrix(self, width: int, height: int) -> np.ndarray:
        """Stored px -> upright px, (3, 3) float64, for a stored picture of this size; pixel centres at +0.5."""
        linear = np.array([[0.0, 1.0], [1.0, 0.0]]) if self.transposed else np.eye(2)
        upright_width, upright_height = self.size(width, height)
        map_ = np.eye(3)
        map_[:2, :2] = np.diag([-1.0 if self.mirrored else 1.0, -1.0 if self.flipped else 1.0]) @ linear
        map_[:2, 2] = upright_width * self.mirrored, upright_height * self.flipped
        return map_

    @property
    def angle_deg(self) -> int:
        """By how much it turns clockwise: 0, 90, 180 or 270; a mirroring comes on top."""
        if self.transposed:
            return 90 if self.mirrored else 270
        return 180 if self.flipped else 0

    @property
    def is_mirror(self) -> bool:
        """Whether it exchanges left and right of what was filmed."""
        return self.transposed ^ self.mirrored ^ self.flipped


def upright_of(frame: VideoFrame) -> Upright:
    """How a decoded frame must be turned; odd angles are taken to the nearest quarter turn."""
    side_data = cast(Mapping[Type, Buffer], frame.side_data)  # PyAV's stubs know but some of the keys
    if Type.DISPLAYMATRIX not in side_data:
        return Upright()
    data = side_data[Type.DISPLAYMATRIX]
    a, b, _, c, d, *_ = np.frombuffer(bytes(data), "=i4").tolist()  # x' = a·x + c·y, y' = b·x + d·y
    transposed = abs(b) + abs(c) > abs(a) + abs(d)
    return Upright(transposed, (c if transposed else a) < 0, (b if transposed else d) < 0)
