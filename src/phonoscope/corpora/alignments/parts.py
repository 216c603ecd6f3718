"""What the formats have in common: what a reader hands over, times, lines, and silence between intervals."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from phonoscope.core.phones import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a reader is asked for."""

    name: str  # of the sound, where the file itself does not tell
    phones: str = ""  # tier with the phones; "": by its usual name
    words: str = ""  # tier with the words


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a file says of one sound, as it stands there, silence and all."""

    phones: tuple[Interval, ...] = ()
    words: tuple[Interval, ...] = ()
    either: tuple[Interval, ...] = ()  # phones or words: the format does not say
    speaker: str = ""
    duration_s: float = 0.0  # 0: the format does not say


def seconds(word: str, line: int, a_second: int = 1) -> float:
    """A time in seconds, written in so many units a second.

    Raises:
        ValueError: it is no time.
    """
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"line {line}: expected a time, got '{word}'")
    return value / a_second


def rows_of(text: str, comment: str = "") -> Iterator[tuple[int, list[str]]]:
    """The lines that say something, as words, each with its number from 1."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not (comment and line.startswith(comment)):
            yield number, words


def timed(text: str, a_second: int, what: str) -> tuple[Interval, ...]:
    """Lines of start, stop and what is said, in so many units a second.

    Raises:
        ValueError: a line is none; it says that `what` was expected in its third column.
    """
    made = []
    for number, words in rows_of(text):
        if len(words) != 3:
            raise ValueError(f"line {number}: expected start, stop and {what}, got '{' '.join(words)}'")
        start_s, stop_s = (seconds(word, number, a_second) for word in words[:2])
        made.append(Interval(start_s, stop_s, words[2]))
    return tuple(made)


def filled(tier: Iterable[Interval], duration_s: float, silence: str = "") -> list[Interval]:
    """The same intervals with silence between, before and behind them, without a gap from 0 to the end."""
    made: list[Interval] = []
    at = 0.0
    for interval in tier:
        if interval.start_s > at:
            made.append(Interval(at, interval.start_s, silence))
        made.append(interval)
        at = interval.stop_s
    return made if at >= duration_s else [*made, Interval(at, duration_s, silence)]


def one_word(text: str) -> str:
    """The same text, which a format that sets words apart by spaces can hold.

    Raises:
        ValueError: it holds a space, or nothing.
    """
    if len(text.split()) != 1 or text != text.strip():
        raise ValueError(f"cannot hold '{text}': spaces set its columns apart; write a .TextGrid")
    return text
