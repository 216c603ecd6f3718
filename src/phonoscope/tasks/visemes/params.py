"""Settings of `phonoscope train visemes` beside the loop's; they need no torch, so that help is shown without it."""

from dataclasses import dataclass
from typing import Literal

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.visemes import SILENCE, VISEMES
from phonoscope.train.params import TrainParams

Model = Literal["svm", "dnn", "gru"]
Balance = Literal["downsample", "weights", "none"]
Split = Literal["disjoint", "row"]

SUBSETS = {
    "5": VISEMES[10:], "9": VISEMES[6:], "14": VISEMES[1:], "15": VISEMES,
}  # fmt: skip
MOST = {"svm": 20_000, "dnn": 1_000_000}  # frames: what an SVM costs rises with the square of them
LEARNING = {
    "dnn": TrainParams(lr=1e-3, lr_decay=1.0, epochs=3000, patience=50),  # Keras' Adam, the seed's epochs
    "gru": TrainParams(optimiser="adamw", lr=1e-3, lr_decay=0.95, weight_decay=0.01, epochs=40, clip=1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesParams:
    """Which frames are learnt from, and how they are parted."""

    classes: str = "14"  # 5, 9, 14 (all but silence), 15, or names with commas between them, such as aa,E,ou
    confidence: float = 0.75  # a frame whose likeliest viseme is less likely is left out
    silence: Literal["drop", "ignore"] = "drop"  # frames likeliest silent; ignore: go by what else each frame may be
    balance: Balance = "downsample"  # classes: cut to as many frames as the smallest has; weighted; as they are
    max_frames: int = 0  # most that are drawn from what is kept; 0: 20 000 for svm, a million for dnn
    split: Split = "disjoint"  # row: frames of one utterance may be on both sides, as seed 004 had it
    speakers: str = ""  # a csv of file,speaker, or a pattern whose first group is the speaker in a name: "(S\d+)_"
    first: str = ""  # the first name that is read, in natural order
    last: str = ""  # the last one, itself included
    sample_seed: int = 0  # of what is drawn, and of who is tested

    def __post_init__(self) -> None:
        within("train.confidence", self.confidence, 0, 1)
        within("train.max_frames", self.max_frames, 0)
        within("train.sample_seed", self.sample_seed, 0)
        names = self.names  # which refuses what is no viseme
        if self.silence == "ignore" and VISEMES[SILENCE] in names:
            raise UsageError("train.silence is 'ignore', but silence is one of the classes: leave out sil, or drop it")

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, in the order of `VISEMES`.

        Raises:
            UsageError: a name is no viseme's, or there are fewer than two.
        """
        if self.classes in SUBSETS:
            return SUBSETS[self.classes]
        asked = [it.strip() for it in self.classes.split(",") if it.strip()]
        if odd := [it for it in asked if it not in VISEMES]:
            raise UsageError(f"no viseme '{odd[0]}': there are {', '.join(VISEMES)}, and the sets {', '.join(SUBSETS)}")
        if len(set(asked)) < 2:
            raise UsageError(f"train.classes must be two visemes or more, got '{self.classes}'")
        return tuple(it for it in VISEMES if it in asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class SvmParams:
    """How the SVM is fitted; the defaults are seed 004's."""

    c: float = 8.0  # what a frame on the wrong side costs
    gamma: float = 1 / 13  # of the kernel, exp(-gamma · distance²)

    def __post_init__(self) -> None:
        within("train.c", self.c, 1e-9)
        within("train.gamma", self.gamma, 1e-9)
