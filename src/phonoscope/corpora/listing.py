"""Corpora that list their films: who is to be seen, and in which set."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.media import Rights
from phonoscope.corpora import avspeech, fetched, lrs, vlogs
from phonoscope.corpora.avspeech_rows import Row
from phonoscope.store.ledger import Failure
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri

CORPORA: Mapping[str, Callable[[Path], list[tuple[Path, Listed]]]] = {
    vlogs.NAME: vlogs.listing,
    avspeech.NAME: avspeech.listing,
    fetched.NAME: fetched.listing,
    lrs.NAME: lrs.listing,
}
LOG = logging.getLogger("phonoscope")


@dataclass(frozen=True, slots=True)
class Lists:
    """Writes down how a corpus lists a film, as soon as it is taken in."""

    by_uri: Mapping[str, Listed]
    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)  # of films that a catalogue lists
    said: Mapping[str, lrs.Transcript] = field(default_factory=dict)  # in films that have a text beside them

    def __call__(self, stored: StoredRecording, uri: str) -> tuple[str, ...]:
        """No artifact; `listed.json`, unless it says so already. Of two files that are one film, the first counts."""
        listed = self.listed(uri)
        if listed and stored.recording.source == uri and stored.listed != listed:
            stored.list_as(listed)
        if (rows := self.rows.get(uri)) and stored.recording.source == uri:
            avspeech.write_rows(stored, rows)
        if (said := self.said.get(uri)) and stored.recording.source == uri:
            lrs.write_transcript(stored, said)
        return ()

    def listed(self, uri: str) -> Listed | None:
        """How the corpus lists a film; None if it does not."""
        return self.by_uri.get(uri)


def rights_of(roots: Iterable[str]) -> Mapping[str, Rights]:
    """Licence and origin of films, by URI, in those of these folders that films were fetched into."""
    folders = (Path(root).expanduser() for root in roots if "://" not in root)
    return {as_uri(str(path)): it for folder in folders for path, it in fetched.rights(folder).items()}


def remembered(failures: Iterable[Failure]) -> Lists:
    """What writes down how a corpus lists films that could not be taken in when it was given."""
    return Lists({failure.source: failure.listed for failure in failures if failure.listed})


def to_retry(failures: Sequence[Failure]) -> list[str]:
    """The films to try again, by URI; those that were to come with labels are left alone, and a warning says so."""
    labelled = {it.source for it in failures if it.step == "ingest" and it.listed and it.listed.corpus not in CORPORA}
    if labelled:
        command = "phonoscope annotations TABLES --films FOLDER --to STORE --retry-failed"
        said = "films that come with labels are left alone (%d, the first '%s'): `%s` takes them in"
        LOG.warning(said, len(labelled), min(labelled), command)
    return [source for source in dict.fromkeys(it.source for it in failures) if source not in labelled]


def films_of(corpus: str, roots: Iterable[str]) -> tuple[list[str], Lists]:
    """The films of a corpus that lies in these folders, and what writes down how it lists them.

    Args:
        corpus: its name; `avspeech:0:20` are the rows [0, 20) of its catalogue.

    Raises:
        UsageError: there is no such corpus, or what lies in a folder is not it.
    """
    name, *numbers = corpus.split(":")
    if name not in CORPORA:
        near = get_close_matches(name, CORPORA, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(CORPORA)}"
        raise UsageError(f"no corpus '{name}'; {hint}")
    paths = [Path(root).expanduser() for root in roots]
    if not paths:
        raise UsageError(f"no folder given: name the one in which the corpus '{name}' lies")
    if name == avspeech.NAME:
        first, last = _rows_asked(corpus, numbers)
        told = [it for path in paths for it in avspeech.catalogued(path, first, last)]
        rows = {as_uri(str(film)): mine for film, _, mine in told}
        return [str(film) for film, _, _ in told], Lists({as_uri(str(film)): it for film, it, _ in told}, rows)
    if numbers:
        raise UsageError(f"'{corpus}': only catalogues have rows, {name} is taken whole")
    if name == lrs.NAME:
        texts = [it for path in paths for it in lrs.transcribed(path)]
        said = {as_uri(str(film)): it for film, _, it in texts}
        return [str(film) for film, _, _ in texts], Lists({as_uri(str(film)): it for film, it, _ in texts}, said=said)
    found = {str(path): listed for root in paths for path, listed in CORPORA[name](root)}
    return [*found], Lists({as_uri(path): listed for path, listed in found.items()})


def _rows_asked(corpus: str, numbers: Sequence[str]) -> tuple[int, int | None]:
    """The first row that is asked for, and the one before which they end; None: to the end."""
    if not numbers:
        return 0, None
    if len(numbers) != 2 or not all(it.isdigit() or not it for it in numbers):
        raise UsageError(f"'{corpus}' tells no rows: avspeech:0:20 are the first twenty, avspeech:20: all others")
    first, last = (int(it) if it else None for it in numbers)
    return first or 0, last
