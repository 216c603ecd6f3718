"""Label files: HTK's and HTS' with times in units of 100 ns, many in one as a master label file, and Festival's.

Sources: Young et al., "The HTK Book", 6.2; Zen, "An example of context-dependent label format for HMM-based speech
synthesis in English"; "Edinburgh Speech Tools", xlabel.
"""

import re

from phonoscope.core.phones import Alignment, Interval
from phonoscope.corpora.alignments.parts import Ask, Parts, filled, one_word, rows_of, seconds

A_SECOND = 10_000_000  # units of time
MASTER = "#!MLF!#"

_FULL = re.compile(r"^[^\^]+\^[^-]+-([^+]+)\+[^=]+=")  # x^x-sil+hh=iy@…: the phone before the last, …, after the next
_TRIPHONE = re.compile(r"^(?:[^-+]+-)?([^-+]+)\+[^-+]+$")
_STATE = re.compile(r"^(.*)\[(\d+)\]$")


def read(text: str, ask: Ask) -> dict[str, Parts]:
    """What each file of labels says; of full-context labels the phone in the middle, its states as one.

    Raises:
        ValueError: there are no times, or a line is none of such a file's.
    """
    if text.lstrip().startswith(MASTER):
        return {name: _read(lines) for name, lines in _files(text).items()}
    rows = list(rows_of(text))
    ends = next((place for place, (_, words) in enumerate(rows) if words == ["#"]), None)
    return {ask.name: _read(rows) if ends is None else _festival(rows[ends + 1 :])}


def write(alignment: Alignment, name: str, kind: str) -> str:
    """HTK's lines of phones, or of words; gaps are called sil.

    Raises:
        ValueError: a text holds a space.
    """
    tier = alignment.words if kind == "words" else alignment.phones
    ends = max(alignment.duration_s, tier[-1].stop_s if tier else 0.0)
    rows = [(round(it.start_s * A_SECOND), round(it.stop_s * A_SECOND), it.text) for it in filled(tier, ends, "sil")]
    return "".join(f"{start} {stop} {one_word(text)}\n" for start, stop, text in rows)


def _files(text: str) -> dict[str, list[tuple[int, list[str]]]]:
    """The lines of each file in a master label file, by the file's stem."""
    found: dict[str, list[tuple[int, list[str]]]] = {}
    here = None
    for number, words in rows_of(text):
        if words == [MASTER]:
            continue
        if words[0].startswith('"'):
            here = re.split(r"[/\\]", " ".join(words).strip('"'))[-1].rpartition(".")[0]
            found[here] = []
        elif words == ["."]:
            here = None
        elif here is None:
            raise ValueError(f"line {number}: expected the name of a file, \"*/name.lab\", got '{' '.join(words)}'")
        else:
            found[here].append((number, words))
    return found


def _read(rows: list[tuple[int, list[str]]]) -> Parts:
    """HTK's lines: start, stop and name; the stop may be missing, the name may be followed by scores."""
    made: list[tuple[float, float | None, str]] = []
    for number, words in rows:
        times = [word for word in words[:2] if word.isdecimal()][: len(words) - 1]
        if not times or not words[0].isdecimal():
            raise ValueError(f"line {number}: there is no time before '{words[0]}'; align it with the sound first")
        start, *stop = (seconds(word, number, A_SECOND) for word in times)
        made.append((start, stop[0] if stop else None, words[len(times)]))
    if made and made[-1][1] is None:
        raise ValueError(f"line {rows[-1][0]}: the last label has no end")
    nexts = [start for start, _, _ in made[1:]]
    lines = [(start, nexts[n] if stop is None else stop, label) for n, (start, stop, label) in enumerate(made)]
    return Parts(either=_whole(lines))


def _whole(lines: list[tuple[float, float, str]]) -> tuple[Interval, ...]:
    """Intervals of labels, the states of a phone joined: those of one label, whose numbers rise."""
    made: list[Interval] = []
    before, state = "", 0
    for start_s, stop_s, label in lines:
        found = _STATE.match(label)
        whole, number = (found[1], int(found[2])) if found else (label, 0)
        if found and whole == before and number > state:
            made[-1] = Interval(made[-1].start_s, stop_s, made[-1].text)
        else:
            made.append(Interval(start_s, stop_s, _phone(whole)))
        before, state = whole, number
    return tuple(made)


def _phone(label: str) -> str:
    """The phone that a label with its neighbours is about; any other label as it is."""
    found = _FULL.match(label) or _TRIPHONE.match(label)
    return found[1] if found else label


def _festival(rows: list[tuple[int, list[str]]]) -> Parts:
    """Lines behind the # of an xlabel file: end in seconds, a colour, the name."""
    made: list[Interval] = []
    for number, words in rows:
        if len(words) < 2:
            raise ValueError(f"line {number}: expected end, colour and name, got '{' '.join(words)}'")
        stop_s = seconds(words[0], number)
        made.append(Interval(made[-1].stop_s if made else 0.0, stop_s, words[2] if len(words) > 2 else ""))
    return Parts(either=tuple(made))
