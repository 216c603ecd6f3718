"""What `prepare --dry-run` foretells; nothing is made, not even the store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from phonoscope import job as api
from phonoscope.corpora.folder import sources
from phonoscope.flow.ingest import GIVEN
from phonoscope.flow.plan import plan
from phonoscope.store.folder import Store
from phonoscope.store.ledger import known_sources
from phonoscope.store.uri import as_uri


def foretell(films: Sequence[str], to: Path, names: Sequence[str], params: Any, *, as_json: bool) -> int:
    """Tell for each film what would be made and what kept.

    Raises:
        UsageError: as `prepare` would.
    """
    steps = plan(names, api.STEPS, frozenset(GIVEN))
    found = sources(films)
    store = Store(to) if (to / "store.json").exists() else None
    work = api.run(names, store, params).work if store else None
    known = known_sources(store) if store else {}
    for film in found:
        make, keep = [*GIVEN, *(step.name for step in steps)], []
        if store and work and (seen := known.get(as_uri(film))):
            fresh, due, _, _ = work.survey(store[seen.id])
            make, keep = [step.name for step in due], [step.name for step in fresh]
        if as_json:
            print(msgspec.json.encode({"state": "would", "source": as_uri(film), "make": make, "keep": keep}).decode())
        else:
            print(f"{film}: " + (f"would make {', '.join(make)}" if make else "is fresh"))
    return 0
