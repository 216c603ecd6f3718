"""TIMIT's .phn and .wrd: start, stop and text a line, in samples at 16 kHz.

Source: Garofolo et al., "TIMIT Acoustic-Phonetic Continuous Speech Corpus", LDC93S1, readme.
"""

from phonoscope.core.phones import Alignment, Interval
from phonoscope.corpora.alignments.parts import Ask, Parts, filled, one_word, timed

A_SECOND = 16_000  # samples


def read(text: str, ask: Ask) -> dict[str, Parts]:
    """What the file says; whether of phones or of words, its name tells.

    Raises:
        ValueError: a line is none of TIMIT's.
    """
    return {ask.name: Parts(either=timed(text, A_SECOND, "text"))}


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
