"""When the words of a text are said: the likeliest way to say them all, in order, in a sound."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Alignment, Interval, viseme_rows
from phonoscope.core.visemes import NOT_SCORED, RATE, SILENCE, VISEMES, VisemeTrack, of_arpabet
from phonoscope.corpora.alignments.textgrid import grid
from phonoscope.data.viseme_formats.textgrid import TIER, tier_of
from phonoscope.data.viseme_tracks import filled

LEAST = 3  # rows that every phone lasts, and every silence
FLOOR = 1e-3  # nothing is less likely than this: one row that is very sure must not outweigh many
ANYTHING_COSTS = 1.0  # nats a row by which a sound that nobody knows is less likely than the best one
ANYTHING = len(VISEMES)  # column of a sound that nobody knows, such as h, or that of an unknown word
NOISE = "spn"  # the phone of a word of which nobody knows how it is pronounced
BEAM = 300.0  # nats: ways that are so much less likely than the best one so far are given up
EXACT = 20_000_000  # rows times states up to which none is given up

Ways = Sequence[tuple[str, ...]]  # of one word: pronunciations, each of phones in ARPABET; none if it is unknown


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A text as states of which each lasts a row or more, in order: between words, and at both ends, may be silence."""

    columns: np.ndarray  # (S,) what is heard in each state: a viseme, or ANYTHING
    before: np.ndarray  # (S, P) from which states one comes into it; S: from none
    first: np.ndarray  # states in which a path may begin
    last: np.ndarray  # states in which it may end
    sounds: np.ndarray  # (S,) number of the phone in `phones`, -1 in silence
    phones: tuple[tuple[int, str], ...]  # of every pronunciation: which word, which phone


def align(rows: np.ndarray, words: Sequence[str], ways: Sequence[Ways]) -> Alignment:
    """When each word and each of its phones is said, to a row; every phone lasts 30 ms at least.

    A word may be said in any of its ways, with or without silence before it. A word without a way, and a phone whose
    shape is that of its neighbours, may sound like anything; such a word is one phone, `spn`.

    Args:
        rows: (T, 15), how likely each viseme is, 100 rows a second.
        words: as they are written.
        ways: of each word.

    Raises:
        UsageError: the sound is too short for all of them.
    """
    way = way_of(ways)
    path = best_path(way, sound_scores(rows))
    phones: list[Interval] = []
    spoken: dict[int, tuple[int, int]] = {}
    edges = np.flatnonzero(np.diff(way.sounds[path], prepend=-2))
    for start, stop in zip(edges.tolist(), [*edges[1:].tolist(), len(path)], strict=True):
        sound = int(way.sounds[path[start]])
        if sound >= 0:
            word, phone = way.phones[sound]
            phones.append(Interval(_seconds(start), _seconds(stop), phone))
            spoken[word] = (spoken.get(word, (start, stop))[0], stop)
    times = tuple(Interval(_seconds(start), _seconds(stop), words[word]) for word, (start, stop) in spoken.items())
    return Alignment(phones=tuple(phones), words=times, duration_s=_seconds(len(rows)))


def forced(rows: np.ndarray, said: Alignment) -> np.ndarray:
    """Weights (T, 15) float32 of what is said; while a word is said that nobody knows, of what is heard.

    Args:
        rows: (T, 15), how likely each viseme is.
        said: phones, as `align` gives them.
    """
    noise = replace(said, phones=tuple(phone for phone in said.phones if phone.text == NOISE))
    unknown = viseme_rows(noise, len(rows)) == NOT_SCORED
    shown = np.eye(len(VISEMES), dtype=np.float32)[filled(viseme_rows(said, len(rows)))]
    return np.where(unknown[:, None], rows, shown)


def text_grid(track: VisemeTrack, said: Alignment) -> str:
    """A TextGrid with the tiers visemes, words and phones."""
    return grid({TIER: tier_of(track), "words": said.words, "phones": said.phones}, said.duration_s)


def sound_scores(rows: np.ndarray) -> np.ndarray:
    """How well each viseme fits each row, (T, 16) nats; the last column is ANYTHING that is no silence."""
    scores = np.log(np.maximum(rows, FLOOR)).astype(np.float32)
    anything = np.delete(scores, SILENCE, 1).max(1, keepdims=True) - np.float32(ANYTHING_COSTS)
    return np.concatenate([scores, anything], 1)


def way_of(ways: Sequence[Ways]) -> Way:
    """The states of a text.

    Raises:
        UsageError: it has no words.
    """
    if not ways:
        raise UsageError("the text has no words")
    columns: list[int] = []
    before: list[list[int]] = []
    sounds: list[int] = []
    phones: list[tuple[int, str]] = []

    def say(column: int, sound: int, after: list[int]) -> int:
        """States of one sound; the last one, which is the one that may last."""
        for _ in range(LEAST):
            before.append(after)
            after = [len(columns)]
            columns.append(column)
            sounds.append(sound)
        before[-1] = [*before[-1], len(columns) - 1]
        return len(columns) - 1

    first: list[int] = []
    ends: list[int] = []  # states in which all words so far are said
    for number, every in enumerate(ways):
        silent = say(SILENCE, -1, ends)
        after, ends = [*ends, silent], []
        first += [0] if number == 0 else []
        for way in every or ((NOISE,),):
            at = after
            first += [len(columns)] if number == 0 else []
            for phone in way:
                phones.append((number, phone))
                viseme = NOT_SCORED if phone == NOISE else of_arpabet(phone)
                at = [say(ANYTHING if viseme == NOT_SCORED else viseme, len(phones) - 1, at)]
            ends += at
    last = [*ends, say(SILENCE, -1, ends)]
    wide = max(map(len, before))
    table = np.array([[*it, *[len(columns)] * (wide - len(it))] for it in before], np.int64)
    return Way(np.array(columns), table, np.array(first), np.array(last), np.array(sounds), tuple(phones))


def best_path(way: Way, scores: np.ndarray) -> np.ndarray:
    """The state of each row, (T,), of the way whose scores sum to the most; it begins and ends where it may.

    Of long texts, only states near the best path so far are followed, so that memory does not grow with both.

    Raises:
        UsageError: there are not enough rows for the shortest way.
    Source: Viterbi: "Error bounds for convolutional codes", IEEE Trans. Inf. Theory 13, 1967.
    """
    states = len(way.columns)
    beam = BEAM if len(scores) * states > EXACT else np.inf
    reach = np.zeros(states + 1, np.int64)  # the last state that one comes into from each
    np.maximum.at(reach, way.before, np.arange(states)[:, None])
    total = np.full(states + 1, -np.inf)  # of the best path into each state; the last one is "from none"
    low, high = 0, int(way.first.max()) + 1  # no path is in any other state
    came: list[tuple[int, np.ndarray]] = []  # the first of these states in each row, and by which way into each
    for t, heard in enumerate(scores):
        if t == 0:
            total[way.first] = 0
            came.append((low, np.zeros(high, np.int8)))
        else:
            high = max(high, int(reach[low:high].max()) + 1)
            options = total[way.before[low:high]]
            came.append((low, options.argmax(1).astype(np.int8)))
            total[low:high] = options.max(1)
        total[low:high] += heard[way.columns[low:high]]
        if beam < np.inf:
            likely = low + np.flatnonzero(total[low:high] >= total[low:high].max() - beam)
            total[low : likely[0]] = total[likely[-1] + 1 : high] = -np.inf
            low, high = int(likely[0]), int(likely[-1]) + 1
    return _back(way, total, came)


def _back(way: Way, total: np.ndarray, came: Sequence[tuple[int, np.ndarray]]) -> np.ndarray:
    """The path that ends best, (T,), from its last row to its first."""
    if not came or total[way.last].max() == -np.inf:
        words = way.phones[-1][0] + 1
        raise UsageError(
            f"the text does not fit: it has {words} words, the sound lasts {_seconds(len(came)):.2f} s; "
            "is it that of another sound?"
        )
    path = np.empty(len(came), np.int64)
    path[-1] = way.last[total[way.last].argmax()]
    for t in range(len(came) - 1, 0, -1):
        low, which = came[t]
        path[t - 1] = way.before[path[t], which[path[t] - low]]
    return path


def _seconds(rows: int) -> float:
    return float(rows / RATE)
