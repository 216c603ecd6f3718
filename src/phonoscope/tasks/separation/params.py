"""Settings of `phonoscope train separation` beside the loop's; they need no torch, so that help is shown without it."""

from dataclasses import dataclass
from typing import Literal

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError

Model = Literal["compact", "looking-to-listen", "audio-only"]
Gates = Literal["hard", "sigmoid"]
Rows = Literal["lips", "embeddings"]

OBJECTIVES = {"voices": ("si-sdr",), "masks": ("discriminative", "mask-mse")}  # by what a network makes


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkParams:
    """What a network is made of, where there is a choice."""

    blind: bool = False  # of compact: it is shown no film, and its voices may come in any order
    gates: Gates = "hard"  # of the LSTM of the two others: Keras's hard sigmoid, as the seed has it, or a true one


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveParams:
    """What a network is told it has done wrong."""

    objective: Literal["si-sdr", "discriminative", "mask-mse"] = "si-sdr"  # the latter two: of networks that make masks
    any_order: bool = False  # voices may come in any order: what counts is the best of them
    gamma: float = 0.1  # of discriminative: how much it counts to be unlike the other voices
    limit_db: float = 30.0  # dB; of si-sdr: to be better than this is worth nothing

    def __post_init__(self) -> None:
        within("train.gamma", self.gamma, 0, 1)
        within("train.limit_db", self.limit_db, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesParams:
    """Which mixtures a network is shown, and how many at once."""

    batch: int = 8  # mixtures at once
    speakers: int = 2  # who speak in a mixture, all different people
    frames: int = 75  # of a mixture, 25 a second; a shorter voice begins late or ends early, and is silent else
    mixtures: int = 4000  # of an epoch, each drawn anew
    judged: int = 300  # mixtures of validation, and of test: the same in every epoch
    gains: Literal["snr", "equal"] = "snr"  # voices are made louder or quieter by lot, or equal: all by 1/speakers
    snr_db: tuple[float, float] = (-5.0, 5.0)  # dB; of the first voice against each other one, by lot
    noise: str = ""  # folder of noise; a part of one of its sounds, by lot, is laid below the voices of each mixture
    noise_db: tuple[float, float] = (0.0, 20.0)  # dB; of all voices over the noise, by lot
    responses: str = ""  # folder of impulse responses of rooms; one of them, by lot, answers to each voice
    normalise: Literal["none", "peak", "loudness"] = "peak"  # of a mixture: its peak to 0.99, or to -23 LUFS
    rows: Rows = "lips"  # what faces are to it: this artifact's rows
    hide: float = 0.1  # share of faces of training that are hidden for a part of their mixture
    still: float = 0.05  # share of mixtures of training in which one face does not speak, and does not move
    pace: float = 1.18  # by how much voices of training, and their faces, are made faster or slower at most; 1: not
    tilt: float = 0.45  # by how much voices of training are made duller or brighter at most; 0: not
    least_s: float = 1.0  # s; a shorter stretch of somebody's speech is left out
    max_missing: float = 0.5  # share of frames without a face beyond which it is left out; the seed has 0
    mix_seed: int = 0  # of what is mixed with what
    split_seed: int = 0  # of who falls into which set, where no corpus says it

    def __post_init__(self) -> None:
        within("train.batch", self.batch, 1)
        within("train.speakers", self.speakers, 2)
        within("train.frames", self.frames, 1)
        within("train.mixtures", self.mixtures, 1)
        within("train.judged", self.judged, 1)
        within("train.hide", self.hide, 0, 1)
        within("train.still", self.still, 0, 1)
        within("train.pace", self.pace, 1, 2)
        within("train.tilt", self.tilt, 0, 0.9)
        within("train.least_s", self.least_s, 0)
        within("train.max_missing", self.max_missing, 0, 1)
        within("train.mix_seed", self.mix_seed, 0)
        within("train.split_seed", self.split_seed, 0)
        for name, (least, most) in (("snr_db", self.snr_db), ("noise_db", self.noise_db)):
            if not least <= most:
                raise UsageError(f"train.{name} must be a lower and an upper bound, got {least} {most}")
