"""What a run has made, as a separator, and how good it is on the mixtures of a store."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.data.split import SETS
from phonoscope.models.extras import need
from phonoscope.models.state_dicts import StateDict, read_state_dict
from phonoscope.tasks.separation.examples import Batches
from phonoscope.tasks.separation.judging import Row, Separate, cases_of, judged
from phonoscope.tasks.separation.material import Extent, checked, extent, found_in
from phonoscope.tasks.separation.networks.registry import entry, network
from phonoscope.tasks.separation.params import ExamplesParams, NetworkParams
from phonoscope.train.weights import weights_at


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a run reaches on a split of a store."""

    network: str
    rows: list[Row]
    mixtures: int
    people: Extent


def separator(given: str) -> tuple[Separate, StateDict]:
    """What separates by the weights of a run's folder, or of a file; and these weights with their card.

    It is shown sound (N,), 640 samples a frame, and rows (S, T, D) of faces, all at once.

    Raises:
        UsageError: there are none, they are of no network that we know, or torch is not installed.
    """
    path = weights_at(given)
    need("a separator as it was trained", "torch", extra="train")
    from phonoscope.tasks.separation.task import separator_of
    from phonoscope.train.begin import begin_with

    state = read_state_dict(path)
    name = str(_told(state, "network", path))
    made = network(name, **_told(state, "shape", path))
    begin_with(made, state, name)
    return separator_of(made, name, blind=bool(state.about.get("blind"))), state


def judgement(given: str, source: Path, split: str) -> Judgement:
    """How good a run is on a store, with mixtures as it was trained on: those that its own figures are of, if it is the
    store that it has learnt from.

    Raises:
        UsageError: as of `separator` and `found_in`; there is no such split, or there are too few people in it.
    """
    if split not in SETS:
        raise UsageError(f"no split '{split}'; there are {', '.join(SETS)}")
    separate, state = separator(given)
    kind, settings = entry(str(state.about["network"])), _told(state, "settings", weights_at(given))
    p = msgspec.convert(settings["examples"], ExamplesParams)
    p = replace(p, mixtures=p.judged, hide=0, still=0, pace=1, tilt=0)  # of training as of the others: none is varied
    blind = msgspec.convert(settings["network"], NetworkParams).blind
    for what, folder in (("noise", p.noise), ("responses", p.responses)):
        if folder and not Path(folder).expanduser().is_dir():
            asked = f"'{given}' was trained with --{what} {folder}, and is judged so, too"
            raise UsageError(f"{asked}: there is no such folder here, put it where it was")
    found = found_in(source, p, sees=bool(kind.sees), blind=blind)
    checked(found, source, p.speakers, [split])
    material = found.material
    mixtures = Batches(material, split, 0, p, 0, list)
    rows = judged(separate, cases_of(mixtures), any_order=blind or not kind.sees)
    return Judgement(str(state.about["network"]), rows, mixtures.mixtures, extent(material, split))


def _told(state: StateDict, what: str, path: Path) -> Any:
    if what not in state.about:
        raise UsageError(f"'{path}' does not tell its {what}: it is not by `phonoscope train separation`")
    return state.about[what]
