"""`phonoscope forget`: a recording, and everything made of it, goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from phonoscope.cli.options import parse
from phonoscope.store.folder import Store
from phonoscope.store.forgotten import FILE, forget, forgotten, meant


@dataclass(frozen=True, kw_only=True)
class Forget:
    """Remove recordings from a store, with everything that was made of them, for good.

    phonoscope forget films --source talk-1f3c9a0e                   by id
    phonoscope forget films --source https://a.example/talk.mp4      where the film came from
    phonoscope forget films --source /films/talk.mp4 --why "consent withdrawn"
    phonoscope forget films                                          what was forgotten

    The film itself is not touched. forgotten.jsonl in the store says what went, with the film's sha256: that film is
    not taken in again, and `phonoscope pack` into a folder packed before takes its clips away.
    """

    store: Positional[Path | str]
    source: tuple[str, ...] = ()  # ids, paths or URIs of films, or where they came from
    why: str = ""  # kept in the list
    dry_run: bool = False  # say what would go, and remove nothing


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Forget, arguments, with_params=False)
    store = Store(options.store)
    if not options.source:
        stones = forgotten(store.root)
        if not stones:
            print(f"nothing was forgotten in {store.uri}; --source names what is to be")
        for stone in stones:
            print(f"{stone.when}  {stone.recording}  {stone.source}" + (f"  ({stone.why})" if stone.why else ""))
        return 0
    ids = list(dict.fromkeys(id for what in options.source for id in meant(store, what)))
    for id in ids:
        if options.dry_run:
            print(f"{id} would be forgotten")
        else:
            stone = forget(store, id, options.why)
            print(f"{id} is forgotten; {store.uri}/{FILE} says so ({stone.when})")
    return 0
