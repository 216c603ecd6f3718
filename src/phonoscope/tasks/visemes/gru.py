"""Training the network that the step `visemes` runs, on labelled speech of seed 004's layout or with alignments."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.visemes import NOT_SCORED, VISEMES
from phonoscope.corpora.viseme_labels import HOP, LABELS, SAMPLE_RATE, SOUNDS, Labelled, labelled, pairs_in
from phonoscope.data.split import TEST, TRAINING, VALIDATION
from phonoscope.models.extras import need
from phonoscope.models.viseme_rows import ROW
from phonoscope.tasks.visemes.params import FramesParams
from phonoscope.tasks.visemes.speakers import speakers_of
from phonoscope.tasks.visemes.spoken import Spoken, spoken_in
from phonoscope.train.params import TrainParams

TESTED, VALIDATED = 0.2, 0.1  # share of speakers


@dataclass(frozen=True, slots=True, kw_only=True)
class GruPlan:
    """All that a training run is made of; its sounds are in memory, 32 kB a second."""

    source: Path
    sets: Mapping[str, list[Spoken]]
    faults: tuple[str, ...]  # a line for each file that was left out
    examples: FramesParams
    learning: TrainParams
    unit: str = "speaker"  # what is kept apart; utterances where nobody says who speaks
    licence: str = ""

    def told(self) -> list[str]:
        """What would be learnt from, a line a set."""
        who = {it.speaker for them in self.sets.values() for it in them}
        lines = [f"left out: {fault}" for fault in self.faults]
        lines.append(f"gru, {len(VISEMES)} classes; {len(who)} {self.unit}s, kept apart")
        for name, them in self.sets.items():
            minutes = sum(len(it.audio) for it in them) / SAMPLE_RATE / 60
            lines.append(f"{name:10} {len(them)} utterances, {minutes:.1f} min")
        return lines

    @property
    def recipe(self) -> dict[str, dict[str, Any]]:
        """The settings for params.toml."""
        held = {"source": self.source.resolve().name, "utterances": sum(map(len, self.sets.values()))}
        settings = {**asdict(self.examples), **asdict(self.learning), "licence": self.licence}
        return {"visemes": {"model": "gru"}, "train": settings, "data": held}


def plan_gru(source: Path, *, examples: FramesParams, learning: TrainParams, licence: str = "") -> GruPlan:
    """What `train_gru` carries out; of `examples` it minds confidence, speakers, the range of names and the seed.

    Args:
        source: a folder with `wav_data` and `label`, or any of sounds with alignments beside them.

    Raises:
        UsageError: there is nothing in it to learn from, or fewer than three speakers.
    """
    faults: list[str] = []
    of_seed = (source / LABELS).is_dir()
    unit = "utterance" if of_seed and not examples.speakers else "speaker"
    spoken = _labelled(source, examples, faults) if of_seed else [*spoken_in(source)]
    who = sorted({it.speaker for it in spoken})
    if len(who) < 3:
        raise UsageError(f"a gru wants three {unit}s or more, to learn, choose and test: '{source}' has {len(who)}")
    order = np.random.default_rng([examples.sample_seed, 5]).permutation(who).tolist()
    tested, chosen = (max(1, round(share * len(who))) for share in (TESTED, VALIDATED))
    part = dict.fromkeys(order[:tested], TEST) | dict.fromkeys(order[tested : tested + chosen], VALIDATION)
    sets: dict[str, list[Spoken]] = {TRAINING: [], VALIDATION: [], TEST: []}
    for it in spoken:
        sets[part.get(it.speaker, TRAINING)].append(it)
    settings = {"examples": examples, "learning": learning, "unit": unit, "licence": licence}
    return GruPlan(source=source, sets=sets, faults=tuple(faults), **settings)


def _labelled(source: Path, p: FramesParams, faults: list[str]) -> list[Spoken]:
    found = pairs_in(source, p.first, p.last)
    faults += found.faults
    names = [pair.name for pair in found.pairs]
    who = dict(zip(names, speakers_of(names, p.speakers) or names, strict=True))
    read = labelled(found.pairs, lambda fault: faults.append(fault))
    spoken = [spoken_of(it, p.confidence, who[it.name]) for it in read]
    if not spoken:
        raise UsageError(f"none of {len(names)} pairs in '{source / SOUNDS}' can be used: {faults[-1]}")
    return spoken


def spoken_of(it: Labelled, confidence: float, speaker: str) -> Spoken:
    """Labelled speech on the grid of viseme tracks: each row has the frame nearest to its middle.

    Args:
        confidence: a row whose likeliest viseme is less likely is not scored.
    """
    rows = -(-len(it.audio) // ROW)
    middles = (np.arange(rows) + 0.5) * ROW
    nearest = np.clip(np.rint(middles / HOP - 1).astype(int), 0, len(it.weights) - 1)
    visemes = np.where(it.weights.max(1) >= confidence, it.weights.argmax(1), NOT_SCORED).astype(np.int8)
    audio = (np.clip(it.audio, -1, 1 - 2**-15) * 32768).astype(np.int16)
    return Spoken(audio, visemes[nearest], speaker)


def train_gru(plan: GruPlan, folder: Path, *, on_progress: Callable[[Any], object] = lambda progress: None) -> Any:
    """Carry out a plan; the same plan again goes on from where it was stopped. Gives `train.loop.Trained`.

    Raises:
        UsageError: torch is not installed, or the folder holds another run.
    """
    need("training a viseme model of kind gru", "torch", extra="train")
    from phonoscope.tasks.visemes.sequences import viseme_task
    from phonoscope.train.loop import train

    def about(figures: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
        card = {"network": "viseme-gru", "licence": plan.licence or "as its owner says"}
        return {**card, "version": folder.resolve().name, "notes": "; ".join(plan.told()[-4:]), "figures": figures}

    task = viseme_task(plan.sets, seed=plan.learning.seed, about=about)
    return train(task, folder, plan.learning, recipe=plan.recipe, on_progress=on_progress)
