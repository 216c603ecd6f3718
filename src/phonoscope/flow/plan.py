"""From the artifacts wanted to the steps to run, in order, and to the key of everything that they make."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.flow.step import Step


def plan(
    wanted: Iterable[str],
    steps: Mapping[str, Step],
    given: frozenset[str],
    params: Mapping[str, Any] = MappingProxyType({}),
) -> list[Step]:
    """Steps that make `wanted` out of `given`, each after the steps it needs under its settings.

    Raises:
        UsageError: nothing makes one of them, or steps need each other.
    """
    order: dict[str, Step] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in given or name in order:
            return
        if name in path:
            raise UsageError("steps need each other: " + " -> ".join((*path, name)))
        if name not in steps:
            near = get_close_matches(name, [*steps, *given], n=1)
            needed = f", needed by '{path[-1]}'" if path else ""
            hint = f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(steps)}"
            raise UsageError(f"nothing makes '{name}'{needed}{hint}")
        for need in steps[name].inputs_with(params.get(name)):
            visit(need, (*path, name))
        order[name] = steps[name]

    for name in wanted:
        visit(name, ())
    return list(order.values())


def unless_told(steps: Sequence[Step], told: set[str], named: Collection[str]) -> list[Step]:
    """The steps of a plan without those whose artifacts a corpus has given, and without what only they needed.

    Args:
        named: artifacts that are wanted for themselves.
    """
    left = {step.name: step for step in steps if step.name not in told}
    used_by: dict[str, set[str]] = {}
    for step in reversed(steps):
        users = used_by.get(step.name, set())
        if users and not users & left.keys() and step.name not in named:
            left.pop(step.name, None)
        for name in step.inputs:
            used_by.setdefault(name, set()).add(step.name)
    return list(left.values())


def key_of(step: Step, params: Any, card: str, inputs: Mapping[str, str]) -> str:
    """Identity of an artifact: who made it, with what settings and model, from what. Never its values."""
    recipe = [step.name, step.version, settings_of(params, card), card, dict(sorted(inputs.items()))]
    return hashlib.sha256(msgspec.json.encode(recipe)).hexdigest()[:16]


def keys_of(
    steps: Iterable[Step], params: Mapping[str, Any], cards: Callable[[Step], str], given: Mapping[str, str]
) -> dict[str, str]:
    """The key of every artifact of a plan, from the keys of what is given; nothing is run for it."""
    keys = dict(given)
    for step in steps:
        inputs = {name: keys[name] for name in needs_of(step, params.get(step.name)) if name in keys}
        keys[step.name] = key_of(step, params.get(step.name), cards(step), inputs)
    return keys


def needs_of(step: Step, params: Any) -> tuple[str, ...]:
    """What a step is made from: its inputs under these settings, and the film's clock if it looks at the film."""
    inputs = step.inputs_with(params)
    return (*inputs, "clock") if step.film and "clock" not in inputs else inputs


def settings_of(params: Any, card: str) -> dict[str, Any] | None:
    """Params as plain values, but for the names of a model with a card and of its weights: both may have others."""
    settings = plain(params)
    if settings and card:
        settings.pop("model", None)
        settings.pop("weights", None)
    return settings


def plain(params: Any) -> dict[str, Any] | None:
    """A params dataclass as plain values that JSON can hold; Fractions as text."""
    return msgspec.to_builtins(asdict(params), enc_hook=str) if params is not None else None
