"""Any file of an aligner's, read: which format it has, and what is made of what it says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import SILENT_PHONES, SILENT_WORDS, Alignment, Interval, alphabet_of, plain, unknown
from phonoscope.corpora.alignments import ctm, grid, lab, pocketsphinx, textgrid, timit
from phonoscope.corpora.alignments.parts import Ask, Parts

Kind = Literal["", "phones", "words"]
FORMATS: dict[str, tuple[Callable[[str, Ask], dict[str, Parts]], str]] = {
    ".textgrid": (textgrid.read, "Praat, Montreal Forced Aligner: TextGrid, long or short text"),
    ".lab": (lab.read, "HTK, HTS: labels in units of 100 ns; Festival: labels in seconds"),
    ".mlf": (lab.read, "HTK: labels of many files"),
    ".ctm": (ctm.read, "NIST, Kaldi: file, channel, start, duration, text"),
    ".phn": (timit.read, "TIMIT: phones, in samples at 16 kHz"),
    ".wrd": (timit.read, "TIMIT: words, in samples at 16 kHz"),
    ".json": (pocketsphinx.read_json, "pocketsphinx: words and the phones in them"),
    ".matchseg": (pocketsphinx.read_matchseg, "pocketsphinx: words"),
    ".align": (grid.read, "GRID: words, in units of 1/25000 s"),
}  # by what a name ends in, in small letters
KINDS: dict[str, Kind] = {".phn": "phones", ".wrd": "words"}  # of files whose name tells what they hold
SIGNS = (('"ooTextFile', ".textgrid"), (lab.MASTER, ".mlf"))  # content that tells the format, whatever the name
OVERLAP_S = 0.1  # s: TIMIT's words may share as much, where they share a sound; more is a fault

_LETTER = re.compile(r"[^\W\d_]")


def read_alignment(
    path: Path | str, *, of: str = "", phones: str = "", words: str = "", kind: Kind = "", alphabet: str = ""
) -> Alignment:
    """What is said in a sound and when; silence is a gap.

    Args:
        of: which sound or speaker, of a file that holds several.
        phones: the tier of a TextGrid with the phones, if it has a name of its own.
        words: the tier of a TextGrid with the words, likewise.
        kind: what a .lab or .ctm holds; by default phones if all it says are phones.
        alphabet: of the phones, "arpabet" or "ipa"; by default the one that knows more of them.

    Raises:
        UsageError: there is no such file, it is none of `FORMATS`, or times go backwards or overlap.
    """
    found = read_alignments(path, phones=phones, words=words, kind=kind, alphabet=alphabet)
    if of and of not in found:
        raise UsageError(f"'{path}' says nothing of '{of}': it holds {_some(found)}")
    if not of and len(found) != 1:
        raise UsageError(f"'{path}' holds {len(found)} sounds: say which one is meant, {_some(found)}")
    return found[of] if of else next(iter(found.values()))


def read_alignments(
    path: Path | str, *, phones: str = "", words: str = "", kind: Kind = "", alphabet: str = ""
) -> dict[str, Alignment]:
    """All that a file says, by sound or speaker; where it names none, by the file's own name without its ending.

    Raises:
        UsageError: as `read_alignment`.
    """
    path = Path(path)
    text = _text(path)
    suffix = next((suffix for sign, suffix in SIGNS if sign in text[:200]), path.suffix.lower())
    if suffix not in FORMATS:
        raise UsageError(f"'{path}' is no alignment that we know: expected {', '.join(FORMATS)}")
    kind = kind or KINDS.get(suffix, "")
    try:
        found = FORMATS[suffix][0](text, Ask(name=path.stem, phones=phones, words=words))
        return {name: _settled(parts, kind, alphabet) for name, parts in found.items()}
    except ValueError as error:
        raise UsageError(f"'{path}': {error}") from None


def _text(path: Path) -> str:
    """A file as text, UTF-8 or UTF-16."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read: {error.strerror or error}") from None
    if content.startswith(b"ooBinaryFile"):
        raise UsageError(f"'{path}' is a binary file of Praat's: save it there as a text file")
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"'{path}' is no text: it is neither UTF-8 nor UTF-16") from None


def _settled(parts: Parts, kind: Kind, alphabet: str) -> Alignment:
    """An alignment of what stands in a file: silence becomes a gap, what lasts no time is left out."""
    phones, words = parts.phones, parts.words
    if parts.either:
        kind = kind or ("phones" if _are_phones(parts.either) else "words")
        phones, words = (parts.either, words) if kind == "phones" else (phones, parts.either)
    phones = tuple(Interval(it.start_s, it.stop_s, plain(it.text)) for it in phones)
    ends = [it.stop_s for it in (*phones, *words)]
    phones, words = _tier(phones, SILENT_PHONES), _tier(words, SILENT_WORDS)
    return Alignment(
        phones=phones,
        words=words,
        alphabet=alphabet or alphabet_of(it.text for it in phones),
        speaker=parts.speaker,
        duration_s=max([parts.duration_s, *ends]),
    )


def _tier(given: tuple[Interval, ...], silences: frozenset[str]) -> tuple[Interval, ...]:
    """Intervals that rise in time and do not overlap: each is cut where the next one begins.

    Raises:
        ValueError: times go backwards, or intervals share more than `OVERLAP_S`.
    """
    made = []
    lasting = [it for it in given if it.stop_s != it.start_s]
    for here, after in zip(lasting, [*lasting[1:], None], strict=False):
        if here.stop_s < here.start_s:
            raise ValueError(f"'{here.text}' ends at {here.stop_s:g} s, before it begins at {here.start_s:g} s")
        stop_s = here.stop_s if after is None else min(here.stop_s, after.start_s)
        if here.stop_s - stop_s > OVERLAP_S or stop_s <= here.start_s:
            next_ = f"'{after.text}' at {after.start_s:g} s" if after else ""
            raise ValueError(f"'{here.text}', {here.start_s:g} to {here.stop_s:g} s, overlaps the next one, {next_}")
        if here.text.lower() not in silences:
            made.append(Interval(here.start_s, stop_s, here.text))
    return tuple(made)


def _are_phones(tier: tuple[Interval, ...]) -> bool:
    """Whether texts are phones: those of ARPABET, or of IPA, where words would be longer."""
    texts = {plain(it.text) for it in tier if it.text.lower() not in SILENT_PHONES}
    letters = sum(len(_LETTER.findall(text)) for text in texts)
    return not unknown(texts, "arpabet") or (letters <= 2 * len(texts) and not unknown(texts, "ipa"))


def _some(found: dict[str, Alignment]) -> str:
    return ", ".join(f"'{name}'" for name in list(found)[:5]) + (" …" if len(found) > 5 else "")
