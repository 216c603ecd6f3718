""".align of the GRID corpus: words a line, in units of 1/25000 s, a thousand a frame of its film.

Source: Cooke et al., "An audio-visual corpus for speech perception and automatic speech recognition", JASA 2006.
"""

from phonoscope.corpora.alignments.parts import Ask, Parts, timed

A_SECOND = 25_000  # units: GRID's sound was cut at 25 kHz, its film has 25 frames a second


def read(text: str, ask: Ask) -> dict[str, Parts]:
    """The words of a sentence.

    Raises:
        ValueError: a line is none of GRID's.
    """
    return {ask.name: Parts(words=timed(text, A_SECOND, "word"))}
