"""Frames parted into what is learnt from, what chooses among the learnt, and what is tested on."""

from collections.abc import Mapping, Sequence

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.split import TEST, TRAINING, VALIDATION
from phonoscope.tasks.visemes.frames import Frames
from phonoscope.tasks.visemes.params import Split

TESTED, VALIDATED = 0.2, 0.125  # share of all frames that are tested; of the others, that choose the best epoch

Sets = Mapping[str, np.ndarray]
"""Numbers of frames, (n,) int64, by set."""


def parted(frames: Frames, how: Split, seed: int) -> Sets:
    """Each frame in one set: four fifths are learnt from, an eighth of them to choose by; a fifth is tested.

    "disjoint": nobody who is tested is learnt from, nor, where nobody said who speaks, any utterance; and what chooses
    is of other utterances again. "row": frames by chance, so that neighbours, which overlap by half, are on both sides.

    Raises:
        UsageError: there is one speaker or utterance only, or a class is left out of what is learnt from.
    """
    whole = np.arange(len(frames.classes))
    if how == "row":  # they lie in the order of chance
        learnt, tested = np.split(whole, [round(len(whole) * (1 - TESTED))])
        learnt, chosen = np.split(learnt, [round(len(learnt) * (1 - VALIDATED))])
        return {TRAINING: learnt, VALIDATION: chosen, TEST: tested}
    rng = np.random.default_rng([seed, 4])
    who = frames.speakers or frames.utterances
    codes = np.unique(who, return_inverse=True)[1]
    unit = "speaker" if frames.speakers else "utterance"
    if len(np.unique(codes[frames.utterance])) < 2:
        raise UsageError(f"there is one {unit} only, and nobody else to test on: add others, or give --split row")
    tested = _some(codes[frames.utterance], TESTED, rng)
    learnt = whole[~tested]
    utterances = frames.utterance[learnt]
    if len(np.unique(utterances)) < 2:
        raise UsageError(f"what is learnt from is one utterance: with {unit}s kept apart there must be another one")
    chosen = _some(utterances, VALIDATED, rng)
    _check(frames, learnt[~chosen])
    return {TRAINING: learnt[~chosen], VALIDATION: learnt[chosen], TEST: whole[tested]}


def _some(group: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Which rows are of groups that are drawn until they make up a share, (N,) bool; never none of them nor all."""
    there, sizes = np.unique(group, return_counts=True)
    order = rng.permutation(len(there))
    before = np.cumsum(sizes[order]) - sizes[order] / 2  # a group that would overshoot by most of itself stays out
    count = int(np.clip((before <= share * len(group)).sum(), 1, len(there) - 1))
    return np.isin(group, there[order[:count]])


def _check(frames: Frames, learnt: np.ndarray) -> None:
    known = np.unique(frames.classes[learnt])
    lost: Sequence[str] = [name for at, name in enumerate(frames.names) if at not in known]
    if lost:
        raise UsageError(
            f"all frames of {', '.join(lost)} are of those who are tested: add speech, or another --sample-seed"
        )
