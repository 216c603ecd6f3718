"""What a layout is: a function that packs one recording, and says beforehand what it would do."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from phonoscope.core.errors import UsageError
from phonoscope.core.media import Recording
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.folder import PackFolder
from phonoscope.store.folder import Store
from phonoscope.store.ledger import Failure
from phonoscope.store.recording import StoredRecording


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What has become of a recording's clips, or what would."""

    recording: str
    made: tuple[str, ...] = ()  # clips
    kept: tuple[str, ...] = ()  # clips that lay there whole
    left_out: Mapping[str, str] = field(default_factory=dict)  # clip -> why
    lacking: tuple[str, ...] = ()  # artifacts that the layout has room for, but the recording has none that is fresh
    notes: tuple[str, ...] = ()  # what was odd
    failure: Failure | None = None

    @classmethod
    def of(cls, recording: str, fates: Iterable[tuple[str, bool, str]]) -> "Packed":
        """What becomes of clips, each told by its name, whether it lies there whole, and why it is left out, if so."""
        told = [*fates]
        return cls(
            recording=recording,
            made=tuple(name for name, kept, why in told if not (kept or why)),
            kept=tuple(name for name, kept, why in told if kept and not why),
            left_out={name: why for name, _, why in told if why},
        )


Layout = Callable[[StoredRecording, Sequence[TrackClip], PackFolder, Any], Iterator[Packed]]
"""Packs a recording's clips into a folder, by settings of its own. It yields twice: first what it is going to do,
having written nothing, then, once it is done, what it has done."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A layout with all that belongs to it."""

    pack: Layout
    params: type  # of its settings
    finish: Callable[[PackFolder], None] = lambda folder: None  # makes of all recordings together what there is of them
    strays: Callable[[Store, Any], Iterable[Packed]] = lambda store, p: ()  # what is asked for of recordings not there
    check: Callable[[Store, Sequence[str]], None] = lambda store, ids: None  # that these recordings can be packed


def check_rate(layout: str, fps: Fraction, recording: Recording) -> None:
    """Nothing, if a recording keeps the rate that a layout is of.

    Raises:
        UsageError: it keeps another.
    """
    if recording.fps != fps:
        raise UsageError(f"the layout {layout} is {fps} frames a second, '{recording.id}' keeps {recording.fps}")
