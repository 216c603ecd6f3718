"""TIMIT's .phn and .wrd: start, stop and text a line, in samples at 16 kHz.

Source: Garofolo et al., "TIMIT Acoustic-Phonetic Continuous Speech Corpus", LDC93S1, readme.
"""

from phonoscope.core.phones import Alignment, Interval
from phonoscope.corpora.alignments.parts import Ask, Parts, filled, one_word, rows_of, seconds

A_SECOND = 16_000  # samples


def read(text: str, ask: Ask) -> dict[str, Parts]:
    """What the file says; whether of phones or of words, its name tells.

    Raises:
        ValueError: a line is none of TIMIT's.
    """
    made = []
    for number, words in rows_of(text):
        if len(words) != 3:
            raise ValueError(f"line {number}: expected start, stop and text, got '{' '.join(words)}'")
        start_s, stop_s = (seconds(word, number, A_SECOND) for word in words[:2])
        made.append(Interval(start_s, stop_s, words[2]))
    return {ask.name: Parts(either=tuple(made))}


def write(alignment: Alignment, name: str, kind: str) -> str:
    """Lines of phones, or of words; among phones the silence at both ends is h#, between them pau.

    Raises:
        ValueError: a text holds a space.
    """
    tier = list(alignment.words)
    if kind == "phones":
        tier = filled(alignment.phones, alignment.duration_s, "pau")
        for end in (0, -1):
            if tier and tier[end].text == "pau":
                tier[end] = Interval(tier[end].start_s, tier[end].stop_s, "h#")
    rows = [(round(it.start_s * A_SECOND), round(it.stop_s * A_SECOND), it.text) for it in tier]
    return "".join(f"{start} {stop} {one_word(text)}\n" for start, stop, text in rows)
