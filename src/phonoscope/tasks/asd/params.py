"""Settings of the network, of examples and of augmentation; what `phonoscope train asd` asks beside the loop's."""

from dataclasses import dataclass
from typing import Literal

from phonoscope.core.checks import within

Mode = Literal["s_av", "s_a", "s_v", "s_av_fc"]  # of ava-asd, as seed 001 names them


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkParams:
    """What a network is made of, where there is a choice."""

    mode: Mode = "s_av"  # of ava-asd: hears and sees; s_av_fc too, without dense layers; s_a only hears; s_v only sees


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesParams:
    """What a network is shown, and how much at once."""

    batch_frames: int = 2000  # frames in a batch; of ava-asd windows
    bucket: Literal["mask", "upstream"] = "mask"  # clips of a batch: all filled up and masked, or cut to the shortest
    piece: int = 500  # frames; a longer labelled track is learnt in pieces of so many
    n_samples: int = 20000  # windows to draw for training where no labels say who speaks; 30 % for the other splits
    window: int = 25  # frames of these windows, odd
    draw_seed: int = 0  # of these windows

    def __post_init__(self) -> None:
        within("train.batch_frames", self.batch_frames, 1)
        within("train.piece", self.piece, 1)
        within("train.n_samples", self.n_samples, 1)
        within("train.window", self.window, 1)
        within("train.draw_seed", self.draw_seed, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentParams:
    """How examples of training are varied."""

    vary_faces: bool = True  # leave, mirror, enlarge or turn the faces of a clip, each a quarter of the time
    crop_least: float = 0.7  # smallest part of the side that an enlarged face shows
    rotate_deg: float = 15.0  # most by which faces are turned, either way
    overlay: float = 0.5  # share of clips that another clip's sound is laid over, where the sound itself is at hand
    overlay_db: float = 5.0  # how much louder or softer than that other sound a clip's own may be

    def __post_init__(self) -> None:
        within("train.crop_least", self.crop_least, 0.1, 1)
        within("train.rotate_deg", self.rotate_deg, 0, 180)
        within("train.overlay", self.overlay, 0, 1)
        within("train.overlay_db", self.overlay_db, 0)
