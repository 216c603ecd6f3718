"""Corpora that list their films: who is to be seen, and in which set."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.corpora import vlogs
from phonoscope.store.ledger import Failure
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri

CORPORA: Mapping[str, Callable[[Path], list[tuple[Path, Listed]]]] = {
    vlogs.NAME: vlogs.listing,
}
LOG = logging.getLogger("phonoscope")


@dataclass(frozen=True, slots=True)
class Lists:
    """Writes down how a corpus lists a film, as soon as it is taken in."""

    by_uri: Mapping[str, Listed]

    def __call__(self, stored: StoredRecording, uri: str) -> tuple[str, ...]:
        """No artifact; `listed.json`, unless it says so already. Of two files that are one film, the first counts."""
        listed = self.listed(uri)
        if listed and stored.recording.source == uri and stored.listed != listed:
            stored.list_as(listed)
        return ()

    def listed(self, uri: str) -> Listed | None:
        """How the corpus lists a film; None if it does not."""
        return self.by_uri.get(uri)


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

    Raises:
        UsageError: there is no such corpus, or what lies in a folder is not it.
    """
    if corpus not in CORPORA:
        near = get_close_matches(corpus, CORPORA, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(CORPORA)}"
        raise UsageError(f"no corpus '{corpus}'; {hint}")
    found = {str(path): listed for root in roots for path, listed in CORPORA[corpus](Path(root).expanduser())}
    if not found:
        raise UsageError(f"no folder given: name the one in which the corpus '{corpus}' lies")
    return [*found], Lists({as_uri(path): listed for path, listed in found.items()})
