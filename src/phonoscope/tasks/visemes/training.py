"""Learning visemes from a folder of labelled speech: frames drawn, a model for each way of parting them, figures."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.split import TRAINING, VALIDATION
from phonoscope.models.extras import need
from phonoscope.store.files import as_json, whole_file
from phonoscope.tasks.visemes.evaluation import Evaluation, judged
from phonoscope.tasks.visemes.frame_model import FILE, FrameModel, retold, scaler_of, write_model
from phonoscope.tasks.visemes.frames import RECIPE, Frames
from phonoscope.tasks.visemes.material import frames_of
from phonoscope.tasks.visemes.page import write_page
from phonoscope.tasks.visemes.params import LEARNING, MOST, FramesParams, Model, Split, SvmParams
from phonoscope.tasks.visemes.sets import Sets, parted
from phonoscope.train.log import check_settings, keep_settings
from phonoscope.train.params import TrainParams

METRICS, REPORT = "metrics.json", "report.html"
HOW: tuple[Split, ...] = ("disjoint", "row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a training run is made of; frames are drawn, nothing is learnt yet."""

    model: Model
    source: Path
    frames: Frames
    faults: tuple[str, ...]  # a line for each file that was left out
    licence: str = ""
    examples: FramesParams = field(default_factory=FramesParams)
    svm: SvmParams = field(default_factory=SvmParams)
    learning: TrainParams = LEARNING["dnn"]

    @property
    def unit(self) -> str:
        """What is kept apart by the split "disjoint"."""
        return "speaker" if self.frames.speakers else "utterance"

    @property
    def recipe(self) -> dict[str, dict[str, Any]]:
        """The settings for params.toml."""
        own = asdict(self.svm) if self.model == "svm" else asdict(self.learning)
        data = hashlib.sha256(self.frames.mfcc.tobytes() + self.frames.classes.tobytes()).hexdigest()[:12]
        held = {"source": self.source.resolve().name, "frames": len(self.frames.classes), "sha256": data}
        settings = {**asdict(self.examples), **own, "licence": self.licence}
        return {"visemes": {"model": self.model}, "train": settings, "data": held}

    def told(self) -> list[str]:
        """What would be learnt from: a line a file that is left out, then a row a viseme."""
        it = self.frames
        who = (
            f"{len(set(it.speakers))} speakers" if it.speakers else "nobody says who speaks: utterances are kept apart"
        )
        lines = [f"left out: {fault}" for fault in self.faults]
        lines.append(f"{self.model}, {len(it.names)} classes; {len(it.utterances)} utterances, {who}")
        lines.append(f"{'viseme':7} {'labelled':>10} {'unsure':>10} {'no class':>10} {'kept':>10} {'drawn':>10}")
        for name, c in it.counts.items():
            lines.append(f"{name:7} {c.labelled:10} {c.unsure:10} {c.unasked:10} {c.kept:10} {c.drawn:10}")
        return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a run has come to."""

    model: Path
    split: Split  # by which it was trained
    unit: str  # kept apart by "disjoint"
    results: Mapping[Split, Evaluation]  # on what is tested, by how it was parted
    lacking: Mapping[Split, str]  # why there is no result


def plan(
    model: Model,
    source: Path,
    *,
    examples: FramesParams | None = None,
    svm: SvmParams | None = None,
    learning: TrainParams | None = None,
    licence: str = "",
) -> Plan:
    """What `train_visemes` carries out; the folder is read once, a file at a time.

    Args:
        source: the folder with `wav_data` and `label`.
        licence: of what is made, for its card.

    Raises:
        UsageError: there is nothing in it to learn from.
    """
    p = examples or FramesParams()
    frames, faults = frames_of(source, p, p.max_frames or MOST[model])
    return Plan(
        model=model, source=source, frames=frames, faults=faults, licence=licence, examples=p, svm=svm or SvmParams(),
        learning=learning or LEARNING["dnn"],
    )  # fmt: skip


def train_visemes(plan: Plan, folder: Path, *, on_progress: Callable[[Any], object] = lambda progress: None) -> Trained:
    """Carry out a plan; the same plan again goes on from where it was stopped.

    In the folder: `model.onnx`, metrics.json, report.html, params.toml, and a folder for each way of parting the
    frames, each with its model: the one that was not asked for is there to show what the other one's figures are worth.

    Raises:
        UsageError: scikit-learn or torch is not installed, the frames cannot be parted as asked, or the folder holds
            another run.
    """
    need(f"training a viseme model of kind {plan.model}", "sklearn" if plan.model == "svm" else "torch", extra="train")
    asked = plan.examples.split
    parts, lacking = _parts(plan)
    folder.mkdir(parents=True, exist_ok=True)
    check_settings(folder, plan.recipe)
    keep_settings(folder, plan.recipe)
    results: dict[Split, Evaluation] = {}
    for how, sets in parts.items():
        path = _learnt(plan, sets, folder / how, on_progress)
        results[how] = judged(FrameModel(path), plan.frames, sets["test"])
    made = Trained(model=folder / FILE, split=asked, unit=plan.unit, results=results, lacking=lacking)
    retold(folder / asked / FILE, made.model, about(plan, parts[asked], folder.resolve().name, results[asked]))
    with whole_file(folder / METRICS) as part:
        part.write_bytes(as_json(metrics(plan, made)))
    write_page(folder / REPORT, folder.resolve().name, metrics(plan, made))
    return made


def _parts(plan: Plan) -> tuple[dict[Split, Sets], dict[Split, str]]:
    """The sets by each way of parting, the asked one first, and why another one cannot be."""
    parts: dict[Split, Sets] = {}
    lacking: dict[Split, str] = {}
    for how in sorted(HOW, key=lambda how: how != plan.examples.split):
        try:
            parts[how] = parted(plan.frames, how, plan.examples.sample_seed)
        except UsageError as error:
            if how == plan.examples.split:
                raise
            lacking[how] = str(error)
    return parts, lacking


def _learnt(plan: Plan, sets: Sets, folder: Path, on_progress: Callable[[Any], object]) -> Path:
    """Fit one model and write it; what an SVM has come to already is taken as it is."""
    folder.mkdir(exist_ok=True)
    path, frames, weighted = folder / FILE, plan.frames, plan.examples.balance == "weights"
    said = about(plan, sets, folder.parent.resolve().name)
    if plan.model == "svm":
        from phonoscope.tasks.visemes import svm

        if path.exists():
            return path
        learnt = np.sort(np.concatenate([sets[TRAINING], sets[VALIDATION]]))  # it has no epochs to choose from
        scaler = scaler_of(frames.mfcc[learnt])
        fit = svm.classifier(plan.svm.c, plan.svm.gamma, weighted=weighted)
        fit.fit(scaler(frames.mfcc[learnt]), frames.classes[learnt])
        write_model(path, scaler, svm.told_by(svm.machine_of(fit, len(frames.names))), said)
        return path
    from phonoscope.models.state_dicts import read_state_dict
    from phonoscope.tasks.visemes.dnn import dnn_task
    from phonoscope.tasks.visemes.networks.dnn import told_by
    from phonoscope.train.loop import train

    scaler, seed = scaler_of(frames.mfcc[sets[TRAINING]]), plan.learning.seed
    rows = scaler(frames.mfcc)
    task = dnn_task(rows, frames.classes, sets, len(frames.names), seed=seed, weighted=weighted)
    trained = train(task, folder, plan.learning, recipe=plan.recipe, on_progress=on_progress)
    write_model(path, scaler, told_by(read_state_dict(trained.weights).tensors), said)
    return path


def about(plan: Plan, sets: Sets, version: str, found: Evaluation | None = None) -> dict[str, Any]:
    """What a model says of itself: its card, its classes, by which rules it learnt, and whom it has heard."""
    it = plan.frames
    heard = np.unique(it.utterance[np.concatenate([sets[TRAINING], sets[VALIDATION]])]).tolist()
    apart = f"{plan.unit}-disjoint" if plan.examples.split == "disjoint" else "frames by chance"
    notes = f"learnt from {len(heard)} utterances; tested {apart}"
    if found:
        notes += f": accuracy {found.accuracy:.3f}, balanced {found.balanced_accuracy:.3f}"
    return {
        "task": "visemes",
        "model": plan.model,
        "version": version,
        "licence": plan.licence or "as its owner says",
        "input": f"MFCC by the recipe {RECIPE}, 16 kHz",
        "rate": "125 rows a second",
        "notes": notes,
        "classes": list(it.names),
        "recipe": RECIPE,
        "confidence": plan.examples.confidence,
        "silence": plan.examples.silence,
        "heard": [it.digests[at] for at in heard],
    }


def metrics(plan: Plan, trained: Trained) -> dict[str, Any]:
    """All figures of a run, as metrics.json and the page show them."""
    return {
        "model": plan.model,
        "classes": list(plan.frames.names),
        "split": trained.split,
        "apart": trained.unit,
        "results": {how: asdict(it) for how, it in trained.results.items()},
        "lacking": dict(trained.lacking),
        "counts": {name: asdict(it) for name, it in plan.frames.counts.items()},
        "utterances": len(plan.frames.utterances),
        "speakers": len(set(plan.frames.speakers)),
        "left_out": list(plan.faults),
    }
