"""Phones and words with their times: what an aligner says of a sound."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """Something said, and when."""

    start_s: float  # s, from the beginning of the sound
    stop_s: float  # s
    text: str  # a phone or a word as it is written there; "" is silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """What is said in a sound, tier by tier; intervals rise in time and do not overlap, gaps are silence."""

    phones: tuple[Interval, ...] = ()
    words: tuple[Interval, ...] = ()
    alphabet: str = "arpabet"  # of the phones: "arpabet", "ipa"
    speaker: str = ""
    duration_s: float = 0.0  # of the sound, as far as the file tells; else the end of the last interval
