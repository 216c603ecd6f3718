"""What is to be done in a store, every model that is left open settled."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from phonoscope.core.errors import UsageError
from phonoscope.flow.ingest import GIVEN
from phonoscope.flow.plan import plan
from phonoscope.flow.run import Work
from phonoscope.flow.step import Step
from phonoscope.job.steps import DEFAULT, STEPS
from phonoscope.models.rates import by_rate, depends_on_film, within_reach
from phonoscope.models.registry import card_of, choose, load, policy_of, sees_depth, spec
from phonoscope.steps.asd import AsdParams
from phonoscope.store.folder import StoreSettings

NEED_DEPTH = {"mesh": "mesh", "pose": "landmarks", "motion": "landmarks"}  # and whose landmarker must see it


def work_on(
    root: Path | str,
    names: Sequence[str],
    params: Any,
    settings: StoreSettings,
    pick: Callable[[str, str], str] = choose,
) -> tuple[Work, dict[str, str]]:
    """Work in a store with every 'auto' settled, and what it has come to mean; nothing is written.

    Raises:
        UsageError, MissingWeights: as `settle`.
    """
    steps, settled, chosen = settle(names, within_reach(params, settings.fps), settings.models, pick)
    work = Work(
        root=str(root), steps=tuple(steps), params=settled, load_backend=backend, card_of=identity,
        named=frozenset(names[len(DEFAULT) :] if tuple(names[: len(DEFAULT)]) == DEFAULT else names),
        suited=by_rate if depends_on_film(params, settings.fps) else None,
    )  # fmt: skip
    return work, chosen


def settle(
    names: Sequence[str], params: Any, chosen: Mapping[str, str], pick: Callable[[str, str], str] = choose
) -> tuple[list[Step], dict[str, Any], dict[str, str]]:
    """The steps that make `names`, their settings with every 'auto' settled, and what it has come to mean.

    Args:
        params: settings of every step, under the step's name.
        chosen: what it came to mean before.
        pick: gives the model to use for a kind of model and a name, which may be 'auto'.

    Raises:
        UsageError: there is no such model, or it is of another kind, or cannot give what a step needs.
        MissingWeights: the weights of none can be had.
    """
    every = {name: getattr(params, name) for name, step in STEPS.items() if step.params}
    every["asd"] = _at_its_crop(every["asd"], chosen)
    steps = plan(names, STEPS, frozenset(GIVEN), every)
    settled, chosen = {step.name: every[step.name] for step in steps if step.params}, dict(chosen)
    for name, maker in NEED_DEPTH.items():  # asked before anything is fetched; what 'auto' means sees depth
        if (
            name in {step.name for step in steps}
            and (model := settled[maker].model) != "auto"
            and not sees_depth(model)
        ):
            said = f"'{name}' needs a landmarker that sees depth, which '{model}' does not"
            raise UsageError(f"{said}: leave --{maker}.model away")
    for step in steps:
        if step.backend_kind:
            asked = settled[step.name].model
            weights = getattr(settled[step.name], "weights", "")
            meant = chosen.get(step.name, asked) if asked == "auto" and not weights else asked  # weights tell whose
            named = spec(step.backend_kind, meant, weights)
            model = pick(step.backend_kind, named)
            if asked == "auto" and not weights:
                chosen[step.name] = model
            settled[step.name] = replace(settled[step.name], model=model)
    if "asd" in settled:
        settled["asd"] = _at_its_crop(settled["asd"], chosen)
    if {"faces", "tracks"} <= settled.keys() and settled["faces"].every - 1 > settled["tracks"].max_gap:
        said = "faces.every %d leaves gaps longer than tracks.max_gap %d: tracks will fall apart"
        logging.getLogger("phonoscope").warning(said, settled["faces"].every, settled["tracks"].max_gap)
    return steps, settled, chosen


def _at_its_crop(p: AsdParams, chosen: Mapping[str, str]) -> AsdParams:
    """Settings of `asd` with the crop of the scorer that is meant: some crops are cut by landmarks, others not."""
    if p.policy != "auto":
        return p
    meant = chosen.get("asd", p.model) if p.model == "auto" and not p.weights else p.model
    model = meant if ":" in meant else spec("speaking_scorer", meant, p.weights)
    return p if model == "auto" else replace(p, policy=policy_of(model))


def backend(model: str, threads: int = 1) -> Any:
    """A model, ready to call, loaded once a process; anew if its file of weights has changed since."""
    return _loaded(model, identity(model), threads)


@cache
def _loaded(model: str, _identity: str, threads: int) -> Any:
    return load(model, threads=threads)


def identity(model: str) -> str:
    """Name, version and weights of a model, for keys and receipts."""
    return card_of(model).identity
