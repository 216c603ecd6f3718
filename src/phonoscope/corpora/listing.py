"""Corpora that list their films: who is to be seen, and in which set."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.corpora import vlogs
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri

CORPORA: Mapping[str, Callable[[Path], list[tuple[Path, Listed]]]] = {
    vlogs.NAME: vlogs.listing,
}


@dataclass(frozen=True, slots=True)
class Lists:
    """Writes down how a corpus lists a film, as soon as it is taken in."""

    by_uri: Mapping[str, Listed]

    def __call__(self, stored: StoredRecording, uri: str) -> tuple[str, ...]:
        """No artifact; `listed.json`, unless it says so already. Of two files that are one film, the first counts."""
        listed = self.by_uri.get(uri)
        if listed and stored.recording.source == uri and stored.listed != listed:
            stored.list_as(listed)
        return ()


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
