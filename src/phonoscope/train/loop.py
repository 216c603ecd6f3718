"""The training loop: epochs, validation after each, the best model kept, the test once at the end.

A run is a folder: params.toml, metrics.jsonl, tensorboard/, weights.safetensors (the best model so far), report.html,
and checkpoint.pt, from which the same call goes on. On a CPU, a run that was killed at whatever moment and taken up
again ends with the weights of an undisturbed one, bit by bit.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from phonoscope.core.checks import folder_here
from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.data.split import TEST, TRAINING, VALIDATION
from phonoscope.models.registry import RUN_WEIGHTS
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.store.lock import alone
from phonoscope.train.checkpoint import resume, save
from phonoscope.train.feed import ahead
from phonoscope.train.frozen import Remembering, frozen_parts
from phonoscope.train.keeping import keep_weights
from phonoscope.train.log import EVENTS, Log, check_settings, keep_settings
from phonoscope.train.optimise import device_of, optimiser_of, precision_of
from phonoscope.train.params import TrainParams
from phonoscope.train.task import Task


@dataclass(frozen=True, slots=True)
class Progress:
    """What is told while a run goes on: after every step, and after every epoch with its figures."""

    epoch: int  # counted from 1
    step: int  # done of this epoch
    steps: int  # in it
    loss: float  # mean of this epoch so far
    figures: Mapping[str, Any] = field(default_factory=dict)  # at the end of an epoch, its line of metrics.jsonl


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run has come to."""

    weights: Path  # of the best model
    epoch: int  # after which it was the best
    validation: Mapping[str, float]
    test: Mapping[str, float]  # empty if there is no test split


class Diverged(PhonoscopeError):
    """The loss is no number any more."""


def train(
    task: Task,
    folder: Path,
    p: TrainParams,
    *,
    recipe: Mapping[str, Mapping[str, Any]] | None = None,
    events: Path | None = None,
    on_progress: Callable[[Progress], object] = lambda progress: None,
) -> Trained:
    """Train, or go on training, in a folder; a run that is at its end is only read.

    Args:
        recipe: settings, by section, for params.toml; a run goes on only with those that it began with.
        events: folder of TensorBoard's events, if not the run's `tensorboard`.

    Raises:
        UsageError: the folder holds another run, or there is no such device.
        Diverged: the loss is no number any more.
    """
    folder_here("--to", folder).mkdir(parents=True, exist_ok=True)
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with alone(folder / ".lock"), torch.random.fork_rng(devices):
        check_settings(folder, recipe or {})
        run = _Run(task, folder, p)
        keep_settings(folder, recipe or {})  # not before: what could not begin binds nobody to its settings
        with Log(folder, folder.resolve().name, events or folder / EVENTS, run.place.epoch - 1) as log:
            while not run.over:
                run.epoch(log, on_progress)
            return run.end(log)


class _Run:
    """A run in the making."""

    def __init__(self, task: Task, folder: Path, p: TrainParams) -> None:
        self.task, self.folder, self.p = task, folder, p
        self.device = device_of(p.device)
        self.half = precision_of(p.amp, self.device)
        torch.manual_seed(p.seed)
        self.network = task.build().to(self.device)
        self.frozen = frozen_parts(self.network, p.freeze)
        for part in self.frozen if self.device.type == "cpu" else ():
            part.forward = Remembering(part)
        self.optimiser = optimiser_of(task.parameters(self.network), p)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.half is torch.float16)
        self.place = resume(folder, self.network, self.optimiser, self.scaler)
        self.kept = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether no further epoch is due."""
        waited = self.place.epoch - 1 - self.place.best_epoch
        return self.place.epoch > self.p.epochs or 0 < self.p.patience <= waited

    def epoch(self, log: Log, tell: Callable[[Progress], object]) -> None:
        """Do the rest of an epoch, then validate and keep what is best."""
        place, began = self.place, time.monotonic()
        batches = self.task.examples(TRAINING, place.epoch)
        if not batches:
            raise UsageError("there is nothing to train on: the training split is empty")
        self.network.train()
        for part in self.frozen:
            part.eval()  # or its batch norms would go on learning
        for batch in ahead(batches, place.step, self.p.workers, self.p.processes):
            self._step(batch)
            tell(Progress(place.epoch, place.step, len(batches), self._means()["loss"]))
            if place.step < len(batches) and time.monotonic() - self.kept >= self.p.checkpoint_s:
                self._save(began)
                began = time.monotonic()
        line: dict[str, Any] = {
            "epoch": place.epoch, "lr": self.p.lr_at(place.epoch, place.steps), TRAINING: self._means(),
            VALIDATION: self.judge(VALIDATION, place.epoch),
        }  # fmt: skip
        self._keep_if_best(line[VALIDATION])
        line["seconds"] = round(place.seconds + time.monotonic() - began, 1)
        log.add(line)
        tell(Progress(place.epoch, len(batches), len(batches), line[TRAINING]["loss"], line))
        place.epoch, place.step, place.sums, place.weight = place.epoch + 1, 0, {}, 0.0
        self._save(began)

    def _step(self, batch: Any) -> None:
        place, p = self.place, self.p
        torch.manual_seed(seed_of(p.seed, place.epoch, place.step))
        for group in self.optimiser.param_groups:
            group["lr"] = p.lr_at(place.epoch, place.steps)
        self.optimiser.zero_grad(set_to_none=True)
        batch = batch.to(self.device)
        with torch.autocast(self.device.type, self.half, enabled=self.half is not None):
            loss = self.task.loss(self.task.forward(self.network, batch), batch, place.epoch)
        total = float(loss.total.detach())
        if not math.isfinite(total):
            where = f"epoch {place.epoch}, step {place.step + 1}"
            raise Diverged(f"the loss is {total} in {where}: try a smaller --lr, or --clip 1, in a new --to")
        self.scaler.scale(loss.total).backward()
        if p.clip:
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.network.parameters(), p.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        for name, value in {"loss": loss.total, **loss.parts}.items():
            place.sums[name] = place.sums.get(name, 0.0) + float(value.detach()) * loss.weight
        place.weight += loss.weight
        place.step, place.steps = place.step + 1, place.steps + 1

    def _means(self) -> dict[str, float]:
        return {name: total / max(self.place.weight, 1e-12) for name, total in self.place.sums.items()}

    def judge(self, split: str, epoch: int) -> dict[str, float]:
        """The loss, as of that epoch, and the task's figures on a split that is not trained on."""
        total, weight, predictions = 0.0, 0.0, []
        self.network.eval()
        with torch.no_grad():
            for batch in ahead(self.task.examples(split, 0), 0, self.p.workers, self.p.processes):
                batch = batch.to(self.device)
                with torch.autocast(self.device.type, self.half, enabled=self.half is not None):
                    outputs = self.task.forward(self.network, batch)
                    loss = self.task.loss(outputs, batch, epoch)
                total, weight = total + float(loss.total) * loss.weight, weight + loss.weight
                predictions.append(self.task.predict(outputs, batch))
        return {"loss": total / max(weight, 1e-12), **self.task.score(predictions)}

    def _keep_if_best(self, figures: Mapping[str, float]) -> None:
        value, higher = figures[self.task.best], self.task.higher and self.task.best != "loss"
        if self.place.best is None or (value > self.place.best if higher else value < self.place.best):
            self.place.best, self.place.best_epoch = value, self.place.epoch
            keep_weights(self.folder, self.network, self._about({VALIDATION: figures}))

    def _about(self, figures: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
        return {**self.task.about(figures), "epoch": self.place.best_epoch, "figures": figures}

    def _save(self, began: float) -> None:
        self.place.seconds = self.place.seconds + time.monotonic() - began if self.place.step else 0.0
        save(self.folder, self.place, self.network, self.optimiser, self.scaler)
        self.kept = time.monotonic()

    def end(self, log: Log) -> Trained:
        """Score the best model on the test split, once, and write all figures into its file."""
        best = read_state_dict(self.folder / RUN_WEIGHTS)
        figures = dict(best.about["figures"])
        if self.task.tested and TEST not in figures:
            self.network.load_state_dict({name: torch.from_numpy(it.copy()) for name, it in best.tensors.items()})
            figures[TEST] = self.judge(TEST, self.place.best_epoch)
            keep_weights(self.folder, self.network, self._about(figures))
        if TEST in figures and not any(TEST in line for line in log.lines):
            log.add({TEST: figures[TEST]})
        return Trained(self.folder / RUN_WEIGHTS, self.place.best_epoch, figures[VALIDATION], figures.get(TEST, {}))


def seed_of(*numbers: int) -> int:
    """One seed of several numbers, such as a run's seed, an epoch and a step."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
