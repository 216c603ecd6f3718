"""TextGrid of Praat's, as the Montreal Forced Aligner and most annotators write it: long or short text, one reader.

Praat reads a text file as numbers, "texts" and <flags> that stand by themselves; all else is comment. So does this.

Source: "TextGrid file formats", Praat's manual (Boersma and Weenink).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from phonoscope.core.phones import Alignment, Interval
from phonoscope.corpora.alignments.parts import Ask, Parts, filled

PHONES = ("phones", "phone", "phonemes", "phoneme", "segments", "segment", "mau")  # in small letters
WORDS = ("words", "word", "ort-mau")
INTERVALS, POINTS = "IntervalTier", "TextTier"

_TOKEN = re.compile(r'"((?:[^"]|"")*)"|!.*|<(\w+)>|(?<!\S)([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?!\S)|\S+')


def read(text: str, ask: Ask) -> dict[str, Parts]:
    """What is said, speaker by speaker where tiers are called "ana - phones", else one.

    Raises:
        ValueError: it is cut off, has no tier that is asked for, or that is one of points.
    """
    values = _values(text)
    if [next(values, ""), next(values, "")][1] != "TextGrid":
        raise ValueError('holds another object of Praat\'s; expected Object class = "TextGrid"')
    _, stop_s = _number(values), _number(values)
    if next(values, "") != "<exists>":
        return {ask.name: Parts(duration_s=stop_s)}
    tiers = [_tier(values) for _ in range(_count(values))]
    found: dict[str, dict[str, tuple[Interval, ...]]] = {}
    for kind, given, usual in (("phones", ask.phones, PHONES), ("words", ask.words, WORDS)):
        for name, of_points, tier in tiers:
            speaker, label = _whose(name)
            if (name == given) if given else (label.lower() in usual):
                if of_points:
                    raise ValueError(f"the tier '{name}' holds points, which last no time; expected intervals")
                found.setdefault("" if given else speaker, {}).setdefault(kind, tier)
        if given and not any(name == given for name, _, _ in tiers):
            raise ValueError(f"has no tier called '{given}': it has {_names(tiers)}")
    if not found:
        raise ValueError(f"no tier is called phones or words; it has {_names(tiers)}; "
                         "say which one is meant, as phones='NAME' or words='NAME'")  # fmt: skip
    return {who or ask.name: Parts(**kinds, speaker=who, duration_s=stop_s) for who, kinds in found.items()}


def write(alignment: Alignment, name: str, kind: str = "") -> str:
    """A long text file with a tier of phones, one of words, or both; times come back exactly."""
    both = {"phones": alignment.phones, "words": alignment.words}
    tiers = {key: tier for key, tier in both.items() if (key == kind if kind else tier)} or {"phones": ()}
    who = f"{alignment.speaker} - " if alignment.speaker else ""
    return grid({who + key: tier for key, tier in tiers.items()}, alignment.duration_s)


def grid(tiers: Mapping[str, Sequence[Interval]], duration_s: float) -> str:
    """A long text file with these tiers by name, each from 0 to the end of the sound or of the last interval."""
    stop_s = max([duration_s, *(tier[-1].stop_s for tier in tiers.values() if tier)])
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {_plain(stop_s)}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for place, (name, tier) in enumerate(tiers.items(), 1):
        whole = filled(tier, stop_s)
        lines += [f"    item [{place}]:", f'        class = "{INTERVALS}"', f"        name = {_quoted(name)}"]
        lines += ["        xmin = 0", f"        xmax = {_plain(stop_s)}", f"        intervals: size = {len(whole)}"]
        for number, it in enumerate(whole, 1):
            lines += [f"        intervals [{number}]:", f"            xmin = {_plain(it.start_s)}"]
            lines += [f"            xmax = {_plain(it.stop_s)}", f"            text = {_quoted(it.text)}"]
    return "\n".join(lines) + "\n"


def _values(text: str) -> Iterator[str | float]:
    """The values of a file, in order: numbers, texts, and <flags> in their brackets."""
    for token in _TOKEN.finditer(text):
        words, flag, number = token.groups()
        if words is not None:
            yield words.replace('""', '"')
        elif flag is not None:
            yield f"<{flag}>"
        elif number is not None:
            yield float(number)


def _tier(values: Iterator[str | float]) -> tuple[str, bool, tuple[Interval, ...]]:
    """The next tier: its name, whether it is one of points, its intervals."""
    kind, name = _text(values), _text(values)
    if kind not in (INTERVALS, POINTS):
        raise ValueError(f"expected a tier of intervals or of points, got '{kind}'")
    _, _ = _number(values), _number(values)  # from where to where the tier goes: so do its intervals
    made = []
    for _ in range(_count(values)):
        start_s = _number(values)
        stop_s = start_s if kind == POINTS else _number(values)
        made.append(Interval(start_s, stop_s, _text(values).strip()))
    return name, kind == POINTS, tuple(made)


def _number(values: Iterator[str | float]) -> float:
    value = next(values, None)
    if not isinstance(value, float):
        raise ValueError(f"expected a number, got {'the end: it is cut off' if value is None else repr(value)}")
    return value


def _count(values: Iterator[str | float]) -> int:
    value = _number(values)
    if value < 0 or value != int(value):
        raise ValueError(f"expected how many there are, got {value}")
    return int(value)


def _text(values: Iterator[str | float]) -> str:
    value = next(values, None)
    if not isinstance(value, str):
        raise ValueError(f"expected a text, got {'the end: it is cut off' if value is None else repr(value)}")
    return value


def _whose(name: str) -> tuple[str, str]:
    """Speaker and kind of a tier that is called "ana - phones"; no speaker otherwise."""
    speaker, dash, label = name.rpartition(" - ")
    return (speaker, label) if dash else ("", name)


def _names(tiers: list[tuple[str, bool, tuple[Interval, ...]]]) -> str:
    return ", ".join(f"'{name}'" + (" (points)" if of_points else "") for name, of_points, _ in tiers) or "none"


def _plain(time_s: float) -> str:
    """A number that comes back exactly, without an exponent, which not all readers understand."""
    return format(Decimal(repr(float(time_s))), "f")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
