"""Frames to learn visemes from: what labelled speech holds, what of it is sure, and which of that is drawn."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.mfcc import RECIPES, mfcc
from phonoscope.core.visemes import SILENCE, VISEMES
from phonoscope.corpora.viseme_labels import SAMPLE_RATE, Labelled
from phonoscope.tasks.visemes.params import FramesParams

RECIPE = "viseme"
WIDTH = RECIPES[RECIPE].width
PARTS = 50  # of a pool, before they are put together


@dataclass(slots=True)
class Count:
    """What became of the frames of one viseme."""

    labelled: int = 0  # it is the likeliest
    unsure: int = 0  # left out: less likely than the rule of confidence asks
    unasked: int = 0  # left out: it is none of the classes
    kept: int = 0  # what is left
    drawn: int = 0  # of these, after balance and at most `max_frames`


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """N frames in the order in which they were drawn, which is that of chance."""

    mfcc: np.ndarray  # (N, 13) float32, by the recipe "viseme", before any scaling
    classes: np.ndarray  # (N,) int64, numbers in `names`
    utterance: np.ndarray  # (N,) int64, numbers in `utterances`
    names: tuple[str, ...]  # of the classes
    utterances: tuple[str, ...]  # names of the files
    digests: tuple[str, ...]  # of their labels
    speakers: tuple[str, ...]  # of each; () if nobody said who speaks
    counts: dict[str, Count] = field(default_factory=dict)  # by viseme


def named(speech: Labelled, p: FramesParams) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest viseme of each frame, (T,) int64, and how likely it is, (T,); -1 where nothing but silence is."""
    weights = speech.weights
    if p.silence == "ignore":
        rest = np.where(np.arange(len(VISEMES)) == SILENCE, 0, weights)
        total = rest.sum(1, keepdims=True)
        weights = rest / np.maximum(total, 1e-6)
        return np.where(total[:, 0] > 1e-6, weights.argmax(1), -1), weights.max(1)
    return weights.argmax(1), weights.max(1)


def sure(speech: Labelled, p: FramesParams, counts: dict[str, Count]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The frames of a sound that are kept: MFCC (n, 13) float32, classes (n,) int64, and their numbers (n,) int64."""
    viseme, likely = named(speech, p)
    number = np.full(len(VISEMES) + 1, -1)  # the last for -1
    number[[VISEMES.index(it) for it in p.names]] = np.arange(len(p.names))
    asked, certain = number[viseme] >= 0, likely >= p.confidence
    for at, name in enumerate(VISEMES):
        mine, count = viseme == at, counts.setdefault(name, Count())
        count.labelled += int(mine.sum())
        count.unasked += int((mine & ~asked).sum())
        count.unsure += int((mine & asked & ~certain).sum())
        count.kept += int((mine & asked & certain).sum())
    rows = np.flatnonzero(asked & certain)
    features = mfcc(speech.audio, SAMPLE_RATE, RECIPE).values[rows]
    return features.astype(np.float32), number[viseme[rows]], rows


def drawn(
    speech: Iterable[Labelled],
    p: FramesParams,
    most: int,
    speaker_of: Callable[[Sequence[str]], tuple[str, ...]],
    *,
    whole: bool = True,
) -> Frames:
    """Frames of labelled speech, `most` at most; memory does not grow with how much speech there is.

    A frame's lot depends on the seed, its sound's labels and its place alone, so neither the order of files nor others
    that are left out change it.

    Args:
        speaker_of: names of files -> who speaks in each, () if nobody says.
        whole: every class must be there, as for training.

    Raises:
        UsageError: a class is left with no frame, or, unless `whole`, all are.
    """
    names, counts = p.names, {it: Count() for it in VISEMES}
    each = p.balance == "downsample"
    pools = [_Pool(most // len(names) if each else most) for _ in (names if each else [""])]
    utterances, digests = [], []
    for it in speech:
        features, classes, rows = sure(it, p, counts)
        lots = np.random.default_rng([p.sample_seed, int(it.digest, 16)]).random(len(it.weights))[rows]
        which = np.full(len(rows), len(utterances))
        for at, pool in enumerate(pools):
            mine = classes == at if each else slice(None)
            pool.add(lots[mine], features[mine], classes[mine], which[mine])
        utterances.append(it.name)
        digests.append(it.digest)
    _check_kept(names, counts, p, whole)
    pools = [pool for pool in pools if len(pool)]
    fewest = min(len(pool) for pool in pools)
    lots, *arrays = (np.concatenate(them) for them in zip(*(pool.first(fewest) for pool in pools), strict=True))
    order = np.argsort(lots, kind="stable")
    made, classes, utterance = (array[order] for array in arrays)
    for name, count in zip(names, np.bincount(classes, minlength=len(names)).tolist(), strict=True):
        counts[name].drawn = count
    return Frames(
        made, classes, utterance, names, tuple(utterances), tuple(digests), speaker_of(utterances), counts
    )  # fmt: skip


def _check_kept(names: tuple[str, ...], counts: dict[str, Count], p: FramesParams, whole: bool) -> None:
    there = [it for it in names if counts[it].kept]
    if len(there) == len(names) or (there and not whole):
        return
    lost = ", ".join(it for it in names if it not in there)
    if len(there) < 2:
        held = f"only {there[0]}" if there else "none"
        raise UsageError(f"of {len(names)} classes the frames hold {held}: nothing is to be told apart")
    raise UsageError(
        f"no frame of {lost} is as sure as {p.confidence:g}: --classes {','.join(there)} does without, "
        "or lower --confidence"
    )


class _Pool:
    """The `most` rows with the smallest lots of all that were added: a fair draw."""

    def __init__(self, most: int) -> None:
        self.most = max(most, 1)
        self._parts: list[tuple[np.ndarray, ...]] = []
        self._held = 0

    def add(self, *arrays: np.ndarray) -> None:
        """Lots first, then what belongs to them."""
        if not len(arrays[0]):
            return
        self._parts.append(arrays)
        self._held += len(arrays[0])
        if self._held > 2 * self.most + 1000 or len(self._parts) > PARTS:  # at every turn it would cost too much
            self._parts = [self.first(self.most)]
            self._held = len(self._parts[0][0])

    def __len__(self) -> int:
        return min(self._held, self.most)

    def first(self, count: int) -> tuple[np.ndarray, ...]:
        """The rows with the smallest lots, as many as `count`, by lot."""
        whole = [np.concatenate(them) for them in zip(*self._parts, strict=True)]
        order = np.argsort(whole[0], kind="stable")[:count]
        return tuple(array[order] for array in whole)
