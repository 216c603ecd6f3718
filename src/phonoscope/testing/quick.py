"""The main job with plain rules in place of networks: every step, in a blink, without weights."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from phonoscope.flow.ingest import GIVEN
from phonoscope.flow.job import Job
from phonoscope.flow.plan import plan
from phonoscope.flow.run import Work
from phonoscope.job import DEFAULT, STEPS, Params
from phonoscope.store.folder import Store
from phonoscope.store.ledger import known_sources
from phonoscope.testing.fakes import FakeDetector, FakeScorer, FakeVoice

RULES = {
    "face_detector": FakeDetector(np.array([[8, 8, 56, 56]])),
    "voice_detector": FakeVoice(),
    "speaking_scorer": FakeScorer(),
}


def quick_job(films: Sequence[Path | str], to: Path | str) -> Job:
    """The job of `prepare`, with crop videos; one face is seen in every film, always at the same place."""
    steps = plan((*DEFAULT, "crop_video"), STEPS, frozenset(GIVEN))
    settled: dict[str, Any] = {step.name: getattr(Params(), step.name) for step in steps if step.params}
    for step in steps:
        if step.backend_kind:
            settled[step.name] = replace(settled[step.name], model=step.backend_kind)
    store = Store.create(to)
    work = Work(
        root=store.uri, steps=tuple(steps), params=settled, load_backend=rule, card_of=rule_card,
        known=known_sources(store),
    )  # fmt: skip
    return Job(store=store, work=work, items=[str(film) for film in films])


def rule(kind: str, threads: int = 1) -> Any:
    """The rule that stands for a kind of network."""
    return RULES[kind]


def rule_card(kind: str) -> str:
    """Its identity."""
    return RULES[kind].card.identity


def fingerprint(store: Path) -> dict[str, str]:
    """The sha256 of every file below `recordings/`, by path; of receipts without what no two runs share."""
    found = {}
    for path in sorted((store / "recordings").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.name == "receipts.json":
                receipts = msgspec.json.decode(content)
                content = msgspec.json.encode({k: {**v, "seconds": 0, "warnings": []} for k, v in receipts.items()})
            found[str(path.relative_to(store))] = hashlib.sha256(content).hexdigest()
    return found
