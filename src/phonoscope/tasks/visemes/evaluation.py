"""How well frames are told: figures, all of them from one table of what was taken for what."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from phonoscope.metrics.confusion import accuracy, balanced_accuracy, confusion, majority, recalls
from phonoscope.tasks.visemes.frame_model import FrameModel
from phonoscope.tasks.visemes.frames import Frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What was reached on some frames; None where there is nothing to tell."""

    frames: int
    accuracy: float | None
    balanced_accuracy: float | None  # mean recall of the classes that occur


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was reached on all frames, and on whose."""

    frames: int
    utterances: int = 0
    accuracy: float | None
    balanced_accuracy: float | None
    majority: float | None  # the accuracy of always saying the commonest class
    recall: dict[str, float | None]  # by class
    confusion: list[list[int]]  # [i][j]: how often class i was taken for class j
    speakers: dict[str, Part] = field(default_factory=dict)


def evaluation(truth: np.ndarray, said: np.ndarray, names: Sequence[str]) -> Evaluation:
    """Figures of frames whose classes are `truth` and were said to be `said`, both (n,) numbers in `names`."""
    counts = confusion(truth, said, len(names))
    return Evaluation(
        frames=len(truth),
        accuracy=_known(accuracy(counts)),
        balanced_accuracy=_known(balanced_accuracy(counts)),
        majority=_known(majority(counts)),
        recall={name: _known(share) for name, share in zip(names, recalls(counts).tolist(), strict=True)},
        confusion=counts.tolist(),
    )


def judged(model: FrameModel, frames: Frames, which: np.ndarray | None = None) -> Evaluation:
    """What a model reaches on frames, on those of each speaker too, if it is known who speaks.

    Args:
        which: numbers of frames; by default all.
    """
    which = np.arange(len(frames.classes)) if which is None else which
    truth, said, utterance = frames.classes[which], model(frames.mfcc[which]), frames.utterance[which]
    found = evaluation(truth, said, frames.names)
    parts = {}
    if frames.speakers:
        who = np.array(frames.speakers, object)[utterance]
        for name in sorted(set(who.tolist())):
            mine = who == name
            it = evaluation(truth[mine], said[mine], frames.names)
            parts[name] = Part(frames=it.frames, accuracy=it.accuracy, balanced_accuracy=it.balanced_accuracy)
    return replace(found, utterances=len(np.unique(utterance)), speakers=parts)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
