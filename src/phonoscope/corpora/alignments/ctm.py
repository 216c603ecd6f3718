"""CTM of NIST's, as Kaldi and most recognisers write it: file, channel, start, duration, word or phone, a line each.

Source: NIST, "SCTK: the NIST Scoring Toolkit", ctm.
"""

from decimal import Decimal, InvalidOperation

from phonoscope.core.phones import Alignment, Interval
from phonoscope.corpora.alignments.parts import Ask, Parts, one_word, rows_of

DIGITS = 6  # behind the point, when written


def read(text: str, ask: Ask) -> dict[str, Parts]:
    """What is said in each file, by its name; by "name:channel" where it has several.

    Raises:
        ValueError: a line is none of a CTM's.
    """
    tiers: dict[tuple[str, str], list[Interval]] = {}
    for number, words in rows_of(text, comment=";;"):
        if len(words) < 5:
            got = " ".join(words)
            raise ValueError(f"line {number}: expected file, channel, start, duration and word, got '{got}'")
        start, lasts = (_decimal(word, number) for word in words[2:4])
        interval = Interval(float(start), float(start + lasts), words[4])
        tiers.setdefault((words[0], words[1]), []).append(interval)
    files = [file for file, _ in tiers]
    return {
        file if files.count(file) == 1 else f"{file}:{channel}": Parts(either=tuple(sorted(tier, key=_start)))
        for (file, channel), tier in tiers.items()
    } or {ask.name: Parts()}


def write(alignment: Alignment, name: str, kind: str) -> str:
    """Lines of phones, or of words, in channel 1; gaps are not written.

    Raises:
        ValueError: a text, or the name, holds a space.
    """
    lines = []
    for it in alignment.words if kind == "words" else alignment.phones:
        start, stop = (Decimal(edge).quantize(Decimal(10) ** -DIGITS) for edge in (it.start_s, it.stop_s))
        lines.append(f"{one_word(name)} 1 {start} {stop - start} {one_word(it.text)}\n")
    return "".join(lines)


def _decimal(word: str, line: int) -> Decimal:
    """A time in seconds; exact, so that start and duration add up to what the next line begins with."""
    try:
        value = Decimal(word)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or value < 0:
        raise ValueError(f"line {line}: expected a time in seconds, got '{word}'")
    return value


def _start(interval: Interval) -> float:
    return interval.start_s
