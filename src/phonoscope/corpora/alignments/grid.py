""".align of the GRID corpus: words a line, in units of 1/25000 s, a thousand a frame of its film.

Source: Cooke et al., "An audio-visual corpus for speech perception and automatic speech recognition", JASA 2006.
"""

from phonoscope.core.phones import Interval
from phonoscope.corpora.alignments.parts import Ask, Parts, rows_of, seconds

A_SECOND = 25_000  # units: GRID's sound was cut at 25 kHz, its film has 25 frames a second


def read(text: str, ask: Ask) -> dict[str, Parts]:
    """The words of a sentence.

    Raises:
        ValueError: a line is none of GRID's.
    """
    made = []
    for number, words in rows_of(text):
        if len(words) != 3:
            raise ValueError(f"line {number}: expected start, stop and word, got '{' '.join(words)}'")
        start_s, stop_s = (seconds(word, number, A_SECOND) for word in words[:2])
        made.append(Interval(start_s, stop_s, words[2]))
    return {ask.name: Parts(words=tuple(made))}
