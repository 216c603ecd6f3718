"""Alignments, written."""

from collections.abc import Callable
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Alignment
from phonoscope.corpora.alignments import ctm, lab, textgrid, timit
from phonoscope.corpora.alignments.reading import KINDS, Kind
from phonoscope.store.files import whole_file

WRITERS: dict[str, Callable[[Alignment, str, str], str]] = {
    ".textgrid": textgrid.write,
    ".lab": lab.write,
    ".ctm": ctm.write,
    ".phn": timit.write,
    ".wrd": timit.write,
}


def write_alignment(alignment: Alignment, path: Path | str, kind: Kind = "") -> None:
    """A file in the format that its name ends in, whole or not at all, in UTF-8.

    Args:
        kind: what to write; by default both into a TextGrid, words into a .wrd, else the phones, or if there are none
            the words.

    Raises:
        UsageError: nothing is written with that ending, or the format cannot hold a text.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise UsageError(f"cannot write '{path}': expected a name that ends in {', '.join(WRITERS)}")
    if suffix != ".textgrid":
        kind = kind or KINDS.get(suffix) or ("phones" if alignment.phones or not alignment.words else "words")
    try:
        text = WRITERS[suffix](alignment, path.stem, kind)
    except ValueError as error:
        raise UsageError(f"'{path}' {error}") from None
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
