"""Phones and words with their times: what an aligner says of a sound, and the visemes that follow from it."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.ipa import of_ipa
from phonoscope.core.visemes import NOT_SCORED, RATE, SILENCE, of_arpabet

SILENT_WORDS = frozenset(("", "sil", "sp", "<sil>", "<s>", "</s>", "<eps>"))  # in small letters, as the next two
SILENT_PHONES = SILENT_WORDS | {"pau", "ssil", "h#", "epi", "#", "_", "<p:>"}  # of TIMIT, HTS, WebMAUS too
NOISES = frozenset(("spn", "nsn", "+spn+", "+nsn+", "<unk>", "q"))  # a mouth that says something, nobody knows what

_CLOSED = {"BCL": "B", "PCL": "P", "DCL": "D", "TCL": "T", "GCL": "G", "KCL": "K"}  # TIMIT has closures of their own
_TIMIT = _CLOSED | {"EL": "L", "EM": "M", "EN": "N", "ENG": "NG", "NX": "N", "AX-H": "AX", "WH": "W"}
_POSITION = re.compile(r"_[BIES]$")  # Kaldi's: begins, is inside, ends a word, is one


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


def viseme_rows(alignment: Alignment, rows: int, rate: Fraction = RATE) -> np.ndarray:
    """The number of the viseme of each row of a track, (rows,) int8: that of the phone in which the row's middle lies.

    Gaps, and what comes after the last phone, are silence. NOT_SCORED is what has no shape of its own, as the breath
    of h, and a noise of which nobody knows what was said.

    Args:
        rate: rows a second; row k spans [k/rate, (k + 1)/rate).

    Raises:
        UsageError: a phone that its alphabet does not know, or an alphabet of which there is no map.
    """
    of = _map(alignment.alphabet)
    made = np.full(rows, SILENCE, np.int8)
    for phone in alignment.phones:
        try:
            viseme = of(phone.text)
        except KeyError:
            raise UsageError(
                f"no viseme for the phone '{phone.text}' at {phone.start_s:.2f} s: the alphabet "
                f"'{alignment.alphabet}' does not know it; is it another one?"
            ) from None
        made[_first(phone.start_s, rate) : _first(phone.stop_s, rate)] = viseme
    return made


def _first(time_s: float, rate: Fraction) -> int:
    """The first row whose middle is not before a time."""
    return max(0, math.ceil(round(time_s * float(rate) - 0.5, 6)))  # rounded: 0.115 · 100 is not quite 11.5


def _map(alphabet: str) -> Callable[[str], int]:
    if alphabet == "arpabet":
        return viseme_of_arpabet
    if alphabet == "ipa":
        return viseme_of_ipa
    raise UsageError(f"there is no map of the alphabet '{alphabet}' to visemes: there are arpabet, ipa")


def viseme_of_arpabet(phone: str) -> int:
    """The viseme of a phone of ARPABET's, of TIMIT's and Kaldi's spelling too; silence and noise among them.

    Raises:
        KeyError: it is none.
    """
    phone = plain(phone).upper()
    if (known := _silence_or_noise(phone)) is not None:
        return known
    return of_arpabet(_TIMIT.get(phone, phone))


def viseme_of_ipa(phone: str) -> int:
    """The viseme of a phone of the International Phonetic Alphabet; silence and noise among them.

    Raises:
        KeyError: it is none.
    """
    if phone.lower() != "q" and (known := _silence_or_noise(phone)) is not None:  # q is a plosive there
        return known
    return of_ipa(phone)


def _silence_or_noise(phone: str) -> int | None:
    small = phone.lower()
    return SILENCE if small in SILENT_PHONES else NOT_SCORED if small in NOISES else None


def plain(phone: str) -> str:
    """A phone without what Kaldi says of its place in the word: AH0 of AH0_B."""
    return _POSITION.sub("", phone)


def alphabet_of(phones: Iterable[str]) -> str:
    """The alphabet that phones are written in: "arpabet", unless "ipa" knows more of them."""
    phones = set(phones)
    return min(("arpabet", "ipa"), key=lambda alphabet: len(unknown(phones, alphabet)))


def unknown(phones: Iterable[str], alphabet: str) -> set[str]:
    """Those phones that an alphabet does not know.

    Raises:
        UsageError: there is no map of that alphabet.
    """
    of = _map(alphabet)
    found = set()
    for phone in phones:
        try:
            of(phone)
        except KeyError:
            found.add(phone)
    return found
