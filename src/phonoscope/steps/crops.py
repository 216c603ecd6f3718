"""Crops: where each track's face is cut out, as transforms."""

from dataclasses import dataclass
from typing import Literal

from phonoscope.core.align import any_crop, not_needed
from phonoscope.core.checks import within
from phonoscope.core.faces import TrackArrays, Tracks
from phonoscope.core.geometry import Crops
from phonoscope.flow.step import step


@dataclass(frozen=True, slots=True, kw_only=True)
class CropsParams:
    """Which crop, and how wide."""

    policy: Literal["asd", "tight", "fixed", "mouth", "aligned"] = "asd"  # the rule; docs/steps/crops.md draws them
    expand: float = -1.0  # how much wider than the face, 0.6: by 60 %; below 0: the policy's own
    size: int = 0  # px, side of the crop; 0: the policy's own

    def __post_init__(self) -> None:
        within("crops.expand", self.expand, -1, 100)
        within("crops.size", self.size, 0)

    @property
    def without(self) -> frozenset[str]:
        """Inputs that are not needed with these settings."""
        return not_needed(self.policy)


@step(version=1)
def crops(tracks: Tracks, landmarks: TrackArrays | None, p: CropsParams) -> Crops:
    """One affine map a track and frame, from source pixels to crop pixels."""
    expand, size = None if p.expand < 0 else p.expand, p.size or None
    cut = (any_crop(it, p.policy, expand, size, landmarks[it.id] if landmarks else None) for it in tracks)
    return Crops(tuple(crop for crop, _ in cut))
