"""What espeak-ng says of a sound that it made, as an alignment."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from phonoscope.core.phones import Alignment, Interval

Event = tuple[int, int, str | None]  # sample, place in the text (characters, from 1), phone in IPA; None: a word begins

# Where a language gives no IPA for a sound, the library's own name of it comes through.
_OWN = (("s.", "ʂ"), ("r.", "ɻ"), ("i.", "ɨ"), ("n^", "ɲ"), ("l^", "ʎ"))
_LETTERS = str.maketrans({"S": "ʃ", "Z": "ʒ", "N": "ŋ", "A": "ɑ", "X": "χ", "Φ": "ɸ", "ε": "ɛ", "?": "ʔ", ":": "ː"}) | {
    ord(sign): None for sign in "#^.-`[*;_~'"
}
_GLIDES = {"ʲ": "j", "ʷ": "w"}  # by themselves they are heard after the phone, whose closure has opened by then


def aligned(events: Sequence[Event], sound: np.ndarray, rate: int, text: str, quiet: int = 0) -> Alignment:
    """Phones and words with their times; phones are without a gap but for pauses.

    A stop begins with its closure: the library says when it is released, and the silence before is in the sound.

    Args:
        events: in order, as the library tells them; `text` is what their places count in.
        sound: (N,) int16, at `rate`.
        quiet: the loudest sample that is silence.
    """
    edges, names, spoken = _segments(events, len(sound))
    loud = np.abs(sound.astype(np.int32)) > quiet
    sounding = [bool(loud[edges[n] : edges[n + 1]].any()) for n in range(len(names))]
    for n in range(1, len(names)):  # a silent end belongs to what follows
        if sounding[n - 1]:
            edges[n] = edges[n - 1] + int(np.flatnonzero(loud[edges[n - 1] : edges[n]])[-1]) + 1
    made: list[tuple[Interval, int]] = []
    for n, (name, word) in enumerate(zip(names, spoken, strict=True)):
        start, stop = edges[n], edges[n + 1]
        if start == stop or not (name or sounding[n]):
            continue
        joined = made and made[-1][0].stop_s == start / rate and (not name or not _has_letter(name))
        if joined:  # a glide without a name, a length, a nasalisation: part of the phone before
            before, word = made.pop()
            made.append((Interval(before.start_s, stop / rate, before.text + name), word))
        elif name:
            made.append((Interval(start / rate, stop / rate, name), word))
    return Alignment(
        phones=tuple(phone for phone, _ in made),
        words=_words([place for _, place, name in events if name is None], made, text),
        alphabet="ipa",
        duration_s=len(sound) / rate,
    )


def _segments(events: Sequence[Event], samples: int) -> tuple[list[int], list[str], list[int]]:
    """Where segments begin and the last one ends, their names, and the number of the word that each is in."""
    edges, names, words, word = [], [], [], -1
    for sample, _, name in events:
        if name is None:
            word += 1
        else:
            edges.append(min(sample, samples))
            names.append(_ipa(name))
            words.append(word)
    return [*edges, samples], names, words


def _ipa(name: str) -> str:
    """A phone in IPA; "" for a pause, and for a word about the language, "(en)"."""
    if name.startswith("("):
        return ""
    for own, sign in _OWN:
        name = name.replace(own, sign)
    name = name.translate(_LETTERS)
    return _GLIDES.get(name, name)


def _has_letter(name: str) -> bool:
    return any(unicodedata.category(sign) in ("Ll", "Lo", "Lu") for sign in name)


def _words(places: list[int], phones: list[tuple[Interval, int]], text: str) -> tuple[Interval, ...]:
    """Words with the times of their phones; a number is one word, in however many it is said."""
    begins = [min(max(place - 1, 0), len(text)) for place in places]
    tokens = list(re.finditer(r"\S+", text))
    starts = [token.start() for token in tokens]
    within = [bisect_right(starts, begin) - 1 for begin in begins]  # the token that each word begins in
    numbers = {n for n, token in enumerate(tokens) if any(sign.isdigit() for sign in token[0])}
    first = []  # of each word, the one that it is part of
    for n, token in enumerate(within):
        first.append(first[-1] if n and token == within[n - 1] and token in numbers else n)
    said: dict[int, list[Interval]] = {}
    for phone, word in phones:
        if word >= 0:
            said.setdefault(first[word], []).append(phone)
    heads = sorted(set(first))
    stops = [begins[head] for head in heads[1:]] + [len(text)] * bool(heads)
    texts = {head: _bare(text[begins[head] : stop]) for head, stop in zip(heads, stops, strict=True)}
    return tuple(Interval(it[0].start_s, it[-1].stop_s, texts[word]) for word, it in said.items() if texts[word])


def _bare(word: str) -> str:
    """A word without the signs around it."""
    word = " ".join(word.split())
    inside = [n for n, sign in enumerate(word) if unicodedata.category(sign)[0] not in "PSZC"]
    return word[inside[0] : inside[-1] + 1] if inside else word
