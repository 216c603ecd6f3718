"""A model of visemes judged on a folder of labelled speech, of which it has not heard what it is judged on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.tasks.visemes.evaluation import Evaluation, judged
from phonoscope.tasks.visemes.frame_model import FrameModel
from phonoscope.tasks.visemes.material import frames_of
from phonoscope.tasks.visemes.params import FramesParams

MOST = 2_000_000  # frames that are judged; of more, as many are drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a model reaches on a folder."""

    model: str
    classes: tuple[str, ...]
    figures: Evaluation
    heard: int  # utterances that were passed over because it has learnt from them
    left_out: tuple[str, ...]  # a line for each file that could not be used


def judge(model: Path, source: Path, split: str = "test", speakers: str = "") -> Judged:
    """Figures of a model on the sure frames of its classes, as they come: none is cut for balance.

    Args:
        model: a file that `train_visemes` has made, or the folder of its run.
        source: the folder with `wav_data` and `label`.
        split: "test": utterances that the model has learnt from are passed over, known by their labels, whatever they
            are called; "all": none is.
        speakers: who speaks, as `speakers_of` has it.

    Raises:
        UsageError: there is no such model, or nothing in the folder to judge it on.
    """
    if split not in ("test", "all"):
        raise UsageError(f"--split of visemes is test or all, got '{split}'")
    it = FrameModel(model)
    heard = set(it.about.get("heard", ())) if split == "test" else set()
    passed: list[str] = []

    def known(digest: str) -> bool:
        if digest in heard:
            passed.append(digest)
        return digest in heard

    p = FramesParams(
        classes=",".join(it.names), confidence=it.about["confidence"], silence=it.about["silence"], balance="none",
        speakers=speakers,
    )  # fmt: skip
    frames, faults = frames_of(source, p, MOST, known, whole=False)
    found = judged(it, frames, np.arange(len(frames.classes)))
    return Judged(model=str(it.path), classes=it.names, figures=found, heard=len(passed), left_out=faults)
