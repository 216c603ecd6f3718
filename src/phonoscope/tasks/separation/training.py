"""Training a network that tells voices apart: from a store to a file of weights with a card."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from phonoscope.core.errors import UsageError
from phonoscope.data.split import SETS, TRAINING
from phonoscope.models.extras import need
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.tasks.separation.material import Found, checked, contents, extent, found_in
from phonoscope.tasks.separation.networks.registry import entry
from phonoscope.tasks.separation.params import OBJECTIVES, ExamplesParams, NetworkParams, ObjectiveParams
from phonoscope.train.params import TrainParams
from phonoscope.train.weights import weights_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a training run is made of, before torch is needed."""

    model: str
    source: Path
    found: Found
    init: str = ""  # as it was named
    begin: Path | None = None  # the file of weights to begin with; None: fresh ones
    partial: bool = False
    licence: str = ""
    network: NetworkParams = field(default_factory=NetworkParams)
    learning: TrainParams = field(default_factory=TrainParams)
    examples: ExamplesParams = field(default_factory=ExamplesParams)
    objective: ObjectiveParams = field(default_factory=ObjectiveParams)

    def told(self) -> list[str]:
        """What would be learnt from, a line a split."""
        seen = f"{self.examples.rows} by {self.found.model}" if self.found.model else "no faces"
        lines = [f"{self.model}, {self.examples.speakers} voices, {seen}, from {self.begin or 'fresh weights'}"]
        for split in SETS:
            it = extent(self.found.material, split)
            mixtures = self.examples.mixtures if split == TRAINING else self.examples.judged
            many = f"{mixtures if it.speakers >= self.examples.speakers else 'no'} mixtures"
            lines.append(f"{split:10} {it}; {many}" if it.voices else f"{split:10} none")
        if self.found.left_out:
            name, why = next(iter(self.found.left_out.items()))
            lines.append(f"{len(self.found.left_out)} recordings are left out, wholly or in part: {name}: {why}")
        return lines

    @property
    def shape(self) -> dict[str, Any]:
        """What the network's constructor takes."""
        kind = entry(self.model)
        seen = {kind.sees: self.found.material.width} if kind.sees else {}
        own = {"speakers": self.examples.speakers, "gates": self.network.gates} if kind.makes == "masks" else {}
        return {**own, **seen, **({"blind": True} if self.network.blind else {})}

    @property
    def recipe(self) -> dict[str, dict[str, Any]]:
        """The settings for params.toml."""
        held = contents(self.found, self.examples.rows)
        about = {"source": self.source.resolve().name, "rows_by": self.found.model, "contents": held}
        voices = {name: extent(self.found.material, name).voices for name in SETS}
        start = {"init": self.init, "init_partial": self.partial, "licence": self.licence}
        examples = {**asdict(self.examples), **{it: list(getattr(self.examples, it)) for it in ("snr_db", "noise_db")}}
        settings = {**asdict(self.network), **asdict(self.learning), **examples, **asdict(self.objective), **start}
        return {"separation": {"model": self.model}, "train": settings, "data": {**about, **voices}}


def plan(
    model: str, source: Path, init: str = "", *, partial: bool = False, licence: str = "", **settings: Any
) -> Plan:
    """What `train_separation` carries out.

    Args:
        model: the network's name.
        source: a store.
        init: weights to begin with: a file, or the folder of a run; "" for fresh ones.
        partial: take those of the weights that fit, by name and shape.
        licence: of what is made, for its card.
        settings: `network`, `learning`, `examples` and `objective`.

    Raises:
        UsageError: there is no such network, there are no such weights, settings do not go together, or there is not
            enough to learn from.
    """
    kind, chosen = entry(model), settings.get("network") or NetworkParams()
    objective, examples = settings.get("objective") or ObjectiveParams(), settings.get("examples") or ExamplesParams()
    if objective.objective not in OBJECTIVES[kind.makes]:
        fits = " or ".join(OBJECTIVES[kind.makes])
        raise UsageError(f"'{model}' makes {kind.makes}, which learn by {fits}, not by {objective.objective}")
    if chosen.blind and (kind.makes != "voices" or not kind.sees):
        raise UsageError(f"'{model}' cannot be made blind: only compact can; audio-only sees nothing as it is")
    begin = weights_at(init) if init else None
    found = found_in(source, examples, sees=bool(kind.sees), blind=chosen.blind)
    checked(found, source, examples.speakers)
    return Plan(
        model=model, source=source, found=found, init=init, begin=begin, partial=partial, licence=licence, **settings
    )


def train_separation(
    plan: Plan, folder: Path, *, events: Path | None = None, on_progress: Callable[[Any], object]
) -> Any:
    """Carry out a plan; the same plan again goes on from where it was stopped. Gives `train.loop.Trained`.

    Raises:
        UsageError: torch is not installed, the weights to begin with are of another network, or the folder holds
            another run.
        Diverged: the loss is no number any more.
    """
    need("training", "torch", extra="train")
    from phonoscope.tasks.separation.task import separation_task
    from phonoscope.train.begin import begin_with
    from phonoscope.train.loop import train

    state = read_state_dict(plan.begin) if plan.begin else None

    def begin(network: Any) -> None:
        if state is not None:
            begin_with(network, state, plan.model, partial=plan.partial)

    task = separation_task(
        plan.model, plan.found.material, plan.examples, plan.objective, shape=plan.shape, seed=plan.learning.seed,
        blind=plan.network.blind, begin=begin, about=lambda figures: about(plan, folder.resolve().name, figures),
    )  # fmt: skip
    return train(task, folder, plan.learning, recipe=plan.recipe, events=events, on_progress=on_progress)


def about(plan: Plan, version: str, figures: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The card of what a run has made, for its file's metadata."""
    trained = extent(plan.found.material, TRAINING)
    origin = f"fine-tuned from {plan.init}" if plan.init else "trained from fresh weights"
    told = [f"{origin} on {trained}, mixtures of {plan.examples.speakers} voices"]
    for split, found in figures.items():
        if "si_sdri_db" in found:
            others = extent(plan.found.material, split)
            told.append(f"{split}, on others: SI-SDRi {found['si_sdri_db']:.2f} dB, {others}")
    return {
        "network": plan.model,
        "shape": plan.shape,
        "version": version,
        "licence": plan.licence or "as its owner says",
        "rows": plan.examples.rows,
        "lips": plan.found.model.partition("@")[0],
        "rows_by": plan.found.model,
        "blind": plan.network.blind,
        "stretch": plan.examples.frames,
        "settings": {"network": asdict(plan.network), "examples": asdict(plan.examples)},
        "trained_on": {"source": plan.source.resolve().name, "init": plan.init, **asdict(trained)},
        "notes": "; ".join(told),
    }
