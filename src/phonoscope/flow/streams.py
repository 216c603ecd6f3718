"""Looking at film: several steps share one decode, each sees only the frames that it asked for."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from phonoscope.core.media import Recording
from phonoscope.core.time import Span, merge_spans
from phonoscope.media.video import Picture

Artifact = TypeVar("Artifact")

Look = Generator[Sequence[Span] | None, Sequence[Picture], Artifact]
"""A step that looks at film: it first yields the spans that it wants to see, then receives its pictures in
batches, in order of frames; an empty batch says that the film is over, and it returns what it made."""


@dataclass(frozen=True, slots=True)
class Film:
    """Marks the parameter of a step that looks at film, and says what film it is."""

    recording: Recording

    @property
    def whole(self) -> tuple[Span, ...]:
        """For a step that wants to see every frame."""
        return (self.recording.span,)


class PartFolder(type(Path())):
    """Marks the parameter of a step that makes files: an empty folder, kept only if the step succeeds."""


Decode = Callable[[Sequence[Span]], Iterable[Picture]]
"""Given sorted, separate spans: the pictures under them, in order."""


def look(
    decode: Decode, lookers: Mapping[str, Look[Any]], batch_size: int = 16, on_frame: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:  # fmt: skip
    """Show the film once to several steps.

    Args:
        lookers: fresh generators by name.
        on_frame: told the number of every frame decoded, for progress.

    Returns:
        What each of them made, by name.
    """
    made: dict[str, Any] = {}
    wanted = {name: merge_spans(list(next(looker) or ())) for name, looker in lookers.items()}
    every = merge_spans([span for spans in wanted.values() for span in spans])
    for batch in _batches(decode(every) if every else (), batch_size):
        for name, looker in lookers.items():
            if mine := [picture for picture in batch if _within(picture.frame, wanted[name])]:
                looker.send(mine)
        on_frame(batch[-1].frame)
    for name, looker in lookers.items():
        try:
            looker.send(())
        except StopIteration as over:
            made[name] = over.value
        else:
            raise TypeError(f"step '{name}' goes on after the film is over: an empty batch must end it")
    return made


def drive(looker: Look[Artifact], pictures: Iterable[Picture]) -> Artifact:
    """Run one looking step on given pictures, as tests and notebooks do."""
    shown = list(pictures)

    def decode(spans: Sequence[Span]) -> Iterator[Picture]:
        return (picture for picture in shown if _within(picture.frame, spans))

    return look(decode, {"it": looker})["it"]


def _within(frame: int, spans: Sequence[Span]) -> bool:
    return any(span.start <= frame < span.stop for span in spans)


def _batches(pictures: Iterable[Picture], size: int) -> Iterator[list[Picture]]:
    batch: list[Picture] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
