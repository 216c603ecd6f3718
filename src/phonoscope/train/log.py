"""What a run writes down for people: metrics.jsonl, TensorBoard's events, report.html; and its settings."""

import contextlib
import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.store.files import whole_file
from phonoscope.train.page import write_page

METRICS, PARAMS, EVENTS, REPORT = "metrics.jsonl", "params.toml", "tensorboard", "report.html"
MAY_CHANGE = {
    "epochs",
    "patience",
    "device",
    "amp",
    "workers",
    "processes",
    "checkpoint_s",
}  # in [train], when a run goes on

Line = dict[str, Any]
"""An epoch: `epoch`, `lr`, `seconds`, and by split a mapping of figures. The last one may hold `test` only."""


def read_metrics(folder: Path) -> list[Line]:
    """The lines of metrics.jsonl; none if there are none yet."""
    path = folder / METRICS
    if not path.exists():
        return []
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


class Log:
    """Writes down how a run goes; each file is replaced as a whole, but TensorBoard's, which only grow."""

    def __init__(self, folder: Path, name: str, events: Path | None, done: int) -> None:
        """Take up the log of a run.

        Args:
            name: of the run, for the page.
            events: folder of TensorBoard's events; nothing is written there if tensorboard is not installed.
            done: epochs that are done; what was written of later ones, by a run that was killed, is dropped.
        """
        self.folder, self.name = folder, name
        self.lines = [line for line in read_metrics(folder) if line.get("epoch", 0) <= done]
        self._open: Callable[[], Any] = (lambda: _events(events, done)) if events else (lambda: None)
        self._events: Any = None

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_: object) -> None:
        if self._events:
            self._events.close()

    def add(self, line: Line) -> None:
        """Write down an epoch, or the test, which stands last."""
        self.lines = [each for each in self.lines if "epoch" in each] + [line]
        with whole_file(self.folder / METRICS) as part:
            part.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in self.lines))
        write_page(self.folder / REPORT, self.name, self.lines)
        self._events = self._events or self._open()
        if self._events:
            for name, value in flat(line):
                self._events.add_scalar(name, value, line.get("epoch", len(self.lines)))
            self._events.flush()


def flat(line: Line) -> list[tuple[str, float]]:
    """The figures of a line as ("validation/loss", 0.3), and so on."""
    found = [(key, float(value)) for key, value in line.items() if isinstance(value, int | float) and key != "epoch"]
    for split, figures in line.items():
        if isinstance(figures, Mapping):
            found += [
                (f"{split}/{name}", float(value)) for name, value in figures.items() if isinstance(value, int | float)
            ]
    return found


def _events(folder: Path, done: int) -> Any:
    with contextlib.suppress(ImportError):
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(folder), purge_step=done + 1)
    return None


def check_settings(folder: Path, recipe: Mapping[str, Mapping[str, Any]]) -> None:
    """Nothing, if the run in this folder began with these settings, or there is none yet.

    Raises:
        UsageError: it began with other settings, beyond those that may change.
    """
    path = folder / PARAMS
    if path.exists():
        then = tomllib.loads(path.read_text(encoding="utf-8"))
        for section, settings in recipe.items():
            for name, value in settings.items():
                was = then.get(section, {}).get(name)
                if was != value and not (section == "train" and name in MAY_CHANGE):
                    told = f"with [{section}] {name} = {was!r}, not {value!r}"
                    if was is None:
                        told = f"without [{section}] {name}, which is {value!r} now"
                    again = "give another --to, or the settings that it began with"
                    raise UsageError(f"the run in '{folder}' began {told}: {again}")


def keep_settings(folder: Path, recipe: Mapping[str, Mapping[str, Any]]) -> None:
    """Write params.toml."""
    with whole_file(folder / PARAMS) as part:
        part.write_text(as_toml(recipe), encoding="utf-8")


def as_toml(recipe: Mapping[str, Mapping[str, Any]]) -> str:
    """Sections of texts, numbers and truth values as TOML."""
    sections = []
    for section, settings in recipe.items():
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()]
        sections.append("\n".join([f"[{section}]", *lines]) + "\n")
    return "\n".join(sections)
