"""Training a network that tells who speaks: from a store or a folder of windows to a file of weights with a card."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from phonoscope.core.errors import UsageError
from phonoscope.data.split import TEST, TRAINING, VALIDATION
from phonoscope.models import registry
from phonoscope.models.backends.ava_asd_graph import mode_of
from phonoscope.models.extras import need
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.models.weights import weights
from phonoscope.tasks.asd.examples import Examples
from phonoscope.tasks.asd.material import checked, contents, extent, material_of
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams, NetworkParams
from phonoscope.train.params import TrainParams
from phonoscope.train.weights import weights_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a training run is made of, before torch is needed."""

    model: str
    source: Path
    material: Examples
    init: str = ""  # as it was named
    begin: Path | None = None  # the file of weights to begin with; None: fresh ones
    partial: bool = False
    licence: str = ""
    network: NetworkParams = field(default_factory=NetworkParams)
    learning: TrainParams = field(default_factory=TrainParams)
    examples: ExamplesParams = field(default_factory=ExamplesParams)
    augment: AugmentParams = field(default_factory=AugmentParams)

    def told(self) -> list[str]:
        """What would be learnt from, a line a split."""
        name = f"{self.model} in mode {self.network.mode}" if self.shape else self.model
        lines = [f"{name}, {self.material.policy} faces, from {self.begin or 'fresh weights'}"]
        for split in (TRAINING, VALIDATION, TEST):
            it = extent(self.material.examples.get(split, ()))
            size = f"{it.examples} examples of {it.recordings} recordings, {it.speakers} speakers, {it.length}"
            lines.append(f"{split:10} {size}" if it.examples else f"{split:10} none")
        return lines

    @property
    def shape(self) -> dict[str, str]:
        """What the network's constructor takes: the mode of ava-asd; of others nothing."""
        return asdict(self.network) if self.model == "ava-asd" else {}

    @property
    def recipe(self) -> dict[str, dict[str, Any]]:
        """The settings for params.toml."""
        training = self.material.examples.get(TRAINING, ())
        held = {"examples": len(training), "contents": contents(self.material)}
        about = {"source": self.source.resolve().name, "policy": self.material.policy, **held}
        start = {"init": self.init, "init_partial": self.partial, "licence": self.licence}
        settings = {**self.shape, **asdict(self.learning), **asdict(self.examples), **asdict(self.augment), **start}
        return {"asd": {"model": self.model}, "train": settings, "data": about}


def plan(
    model: str, source: Path, init: str = "", *, partial: bool = False, licence: str = "", **settings: Any
) -> Plan:
    """What `train_asd` carries out.

    Args:
        model: the network's name.
        source: a store, or a folder of windows.
        init: weights to begin with: a name such as "ava", a file, or the folder of a run; "" for fresh ones.
        partial: take those of the weights that fit, by name and shape.
        licence: of what is made, for its card.
        settings: `network`, `learning`, `examples` and `augment`.

    Raises:
        UsageError: there is no such network, there are no such weights, they are of another mode, or there is nothing
            to learn from.
        MissingWeights: the weights could not be had.
    """
    network = settings.get("network") or NetworkParams()
    if model != "ava-asd" and network != NetworkParams():
        raise UsageError(f"'{model}' has no mode '{network.mode}': only ava-asd has modes")
    begin = weights_of(init, model) if init else None
    if begin and model == "ava-asd" and not partial:
        _check_mode(begin, network.mode)
    examples = settings.get("examples") or ExamplesParams()
    material = checked(material_of(source, examples, model), source)
    return Plan(
        model=model, source=source, material=material, init=init, begin=begin, partial=partial, licence=licence,
        **settings,
    )  # fmt: skip


def train_asd(plan: Plan, folder: Path, *, events: Path | None = None, on_progress: Callable[[Any], object]) -> Any:
    """Carry out a plan; the same plan again goes on from where it was stopped. Gives `train.loop.Trained`.

    Raises:
        UsageError: torch is not installed, the weights to begin with are of another network, or the folder holds
            another run.
        Diverged: the loss is no number any more.
    """
    need("training", "torch", extra="train")
    from phonoscope.tasks.asd.task import asd_task
    from phonoscope.train.begin import begin_with
    from phonoscope.train.loop import train

    state = read_state_dict(plan.begin) if plan.begin else None

    def begin(network: Any) -> None:
        if state is not None:
            begin_with(network, state, plan.model, partial=plan.partial)

    task = asd_task(
        plan.model, plan.material, plan.examples, plan.augment, seed=plan.learning.seed, begin=begin, shape=plan.shape,
        about=lambda figures: about(plan, folder.resolve().name, figures),
    )  # fmt: skip
    return train(task, folder, plan.learning, recipe=plan.recipe, events=events, on_progress=on_progress)


def weights_of(given: str, model: str) -> Path:
    """The file of weights that is meant by a run's folder, a file, or a name that the model knows.

    Raises:
        UsageError: there is none.
        MissingWeights: it could not be had.
    """
    return weights_at(given, lambda name: weights(registry.card_of(f"{model}:{name}")))


def _check_mode(path: Path, wanted: str) -> None:
    if (found := mode_of(read_state_dict(path).tensors)) != wanted:
        other = f"--mode {found} goes on from them, --init-partial takes what fits"
        raise UsageError(f"'{path}' has weights of ava-asd in mode {found}, not {wanted}: {other}")


def about(plan: Plan, version: str, figures: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The card of what a run has made, for its file's metadata."""
    trained = extent(plan.material.examples[TRAINING])
    origin = f"fine-tuned from {plan.init}" if plan.init else "trained from fresh weights"
    told = [f"{origin} on {trained.recordings} recordings of {trained.speakers} speakers ({trained.length})"]
    for split, found in figures.items():
        shown = {"AP": found.get("ap"), "window accuracy": found.get("window_accuracy")}
        said = ", ".join(f"{name} {value:.3f}" for name, value in shown.items() if value is not None)
        told.append(f"{split}: {said}" if said else f"{split}: no figure")
    return {
        "network": plan.model,
        **plan.shape,
        "version": version,
        "licence": plan.licence or "as its owner says",
        "policy": plan.material.policy,
        "windows": "shared",
        "threshold": figures.get(VALIDATION, {}).get("threshold", 0.0),
        "trained_on": {"source": plan.source.resolve().name, "init": plan.init, **asdict(trained)},
        "notes": "; ".join(told),
    }
