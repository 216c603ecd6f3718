"""Who separates: the separator that is meant, what it has learnt from, and what of the faces it wants to be shown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonoscope.core.errors import UsageError
from phonoscope.models.cards import Card, about_file
from phonoscope.models.protocols import VoiceSeparator
from phonoscope.models.registry import RUN_WEIGHTS, choose, spec
from phonoscope.store.recording import StoredRecording
from phonoscope.tasks.separation.networks.registry import NETWORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparatorParams:
    """Which model tells voices apart."""

    model: str = "auto"  # a voice separator by name; auto: the one that comes along
    weights: str = ""  # a file of weights, your own for example, or the folder of a run


def separator_named(p: SeparatorParams) -> str:
    """The separator that is meant, as `models.load` takes it.

    Raises:
        UsageError: there is no such model or file, or it was trained without faces and cannot know whose a voice is.
        MissingWeights: they could not be had.
    """
    path = Path(p.weights).expanduser()
    path = path / RUN_WEIGHTS if path.is_dir() else path
    about = about_file(path) if path.is_file() else {}
    network = NETWORKS.get(str(about.get("network")))
    if about.get("blind") or (network and not network.sees):
        raise UsageError(
            f"'{p.weights}' was trained without faces, so it cannot know whose voice is whose: `phonoscope evaluate "
            "separation RUN STORE` tells how good it is; give a run that sees"
        )
    return choose("voice_separator", spec("voice_separator", p.model, p.weights))


def learnt_from(card: Card) -> str:
    """In one line, what a separator has learnt from and how good it is on people whom it has not seen."""
    told = card.notes.partition(". ")[0]
    return f"{card.name} {card.version}: {told}" if told else ""


def rows_wanted(separator: VoiceSeparator) -> dict[str, dict[str, Any]]:
    """The artifact whose rows it is shown, and with which settings they are made."""
    every = {"per_track": 0} if separator.rows == "embeddings" else {}
    return {separator.rows: {"model": separator.lips.partition("@")[0], **every}}


def check_rows(stored: StoredRecording, separator: VoiceSeparator) -> None:
    """Nothing, if the rows of a recording's faces are by the weights that the separator has learnt from.

    Raises:
        UsageError: they are not.
    """
    made_by = stored.receipts[separator.rows].card if separator.rows in stored.fresh else None
    if "@" in separator.lips and made_by and made_by != separator.lips:
        raise UsageError(
            f"the {separator.rows} of '{stored.recording.id}' are by {made_by}, and {separator.card.name} has learnt "
            f"from those of {separator.lips}: make them by the weights that it has learnt from, in a store of their own"
        )
