"""`phonoscope status`: what a store holds, what is missing, what failed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from tyro.conf import Positional

from phonoscope.cli.options import parse
from phonoscope.store.folder import NATIVE, Store
from phonoscope.store.index import FILE as INDEX
from phonoscope.store.index import NoIndex, read_columns
from phonoscope.store.ledger import read_failures
from phonoscope.store.shared import latest


@dataclass(frozen=True, kw_only=True)
class Status:
    """What a store holds, read from disk; works while another process fills it.

    phonoscope status films
    phonoscope status films --json | jq .failures
    """

    store: Positional[Path | str]
    json: bool = False  # everything as one JSON object, for programs


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if failures stand."""
    options, _ = parse(Status, arguments, with_params=False)
    found = survey(Store(options.store))
    if options.json:
        print(msgspec.json.encode(found).decode())
    else:
        _tell(found, str(options.store))
    return 1 if found["failures"] else 0


def survey(store: Store) -> dict[str, Any]:
    """Recordings with their artifacts, fresh and stale, how many have each, hours, and the failures that stand.

    Of a store in a bucket the index is believed, as opening every recording would take three requests each: it tells
    what there was when the last job ended, neither what is stale nor notes.
    """
    recordings = _by_index(store) if store.far else _by_folders(store)
    return {
        "store": store.uri,
        "fps": store.settings.rate,
        "sample_rate": store.settings.sample_rate,
        "models": store.settings.models,
        "hours": round(sum(r["duration_s"] for r in recordings) / 3600, 4),
        "artifacts": _count(recordings, "artifacts"),
        "stale": _count(recordings, "stale"),
        "recordings": recordings,
        "failures": [asdict(failure) for failure in read_failures(store.root)],
    }


def _by_folders(store: Store) -> list[dict[str, Any]]:
    found = []
    for id in store:
        stored = store.at(id)
        fresh, stale = stored.standing
        found.append(
            {
                "id": id,
                "duration_s": round(float(stored.recording.duration_s), 3),
                "artifacts": fresh,
                "stale": stale,
                "notes": stored.recording.notes,
            }
        )
    return found


def _by_index(store: Store) -> list[dict[str, Any]]:
    try:
        columns = read_columns(latest(store.root, INDEX))
    except NoIndex:  # no job has ended yet
        return _by_folders(store)
    rows = zip(columns["id"], columns["duration_s"], columns["artifacts"], strict=True)
    return [
        {"id": id, "duration_s": round(length_s, 3), "artifacts": artifacts, "stale": [], "notes": []}
        for id, length_s, artifacts in rows
    ]


def _count(recordings: list[dict[str, Any]], field: str) -> dict[str, int]:
    return dict(sorted(Counter(name for recording in recordings for name in recording[field]).items()))


def _tell(found: dict[str, Any], store: str) -> None:
    recordings, failures = found["recordings"], found["failures"]
    rate = "each at its own rate" if found["fps"] == NATIVE else f"{found['fps']} frames a second"
    print(f"{store}: {len(recordings)} recordings, {found['hours']:.2f} h, {rate}")
    for name, count in found["artifacts"].items():
        print(f"  {name:12} {count:6}" + (f"   {len(recordings) - count} without" if count < len(recordings) else ""))
    for name, count in found["stale"].items():
        print(f"  {name:12} {count:6}   stale: made from what has changed since; phonoscope run {name} {store}")
    for reason, count in Counter(failure["reason"] for failure in failures).most_common():
        print(f"failed: {count} × {reason}")
        for failure in [f for f in failures if f["reason"] == reason][:20]:
            print(f"  {failure['source']}: {failure['message']}")
