"""Looking at film: several steps share one decode, each sees only the frames that it asked for."""

import time
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from phonoscope.core.media import Picture, Recording
from phonoscope.core.time import Span, merge_spans
from phonoscope.flow.ahead import ahead

Artifact = TypeVar("Artifact")

Look = Generator[Sequence[Span] | None, Sequence[Picture], Artifact]
"""A step that looks at film: it first yields the spans that it wants to see, then receives its pictures in
batches, in order of frames; an empty batch says that the film is over, and it returns what it made."""


@dataclass(frozen=True, slots=True)
class Film:
    """Marks the parameter of a step that looks at film, and says what film it is."""

    recording: Recording
    part: Span | None = None  # all that is looked at, if that is not the whole film

    @property
    def whole(self) -> tuple[Span, ...]:
        """For a step that wants to see every frame."""
        return (self.part or self.recording.span,)


class PartFolder(type(Path())):
    """Marks the parameter of a step that makes files: an empty folder, kept only if the step succeeds."""


Decode = Callable[[Sequence[Span]], Iterable[Picture]]
"""Given sorted, separate spans: the pictures under them, in order."""


class LookFailed(Exception):
    """A step failed while it looked; the cause is chained."""

    def __init__(self, name: str) -> None:
        super().__init__(f"'{name}' failed while it looked at the film")
        self.name = name


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of showing a film."""

    made: Mapping[str, Any]  # name -> artifact
    seconds: Mapping[str, float]  # name -> its own time and an equal share of the decoder's


def look(
    decode: Decode,
    lookers: Mapping[str, Look[Any]],
    batch_size: int = 16,
    on_frame: Callable[[int], None] = lambda _: None,
    depth: int = 0,
) -> Seen:
    """Show the film once to several steps.

    Args:
        lookers: fresh generators by name.
        on_frame: told the number of the last frame shown, batch by batch.
        depth: batches that are decoded, in a thread of their own, while the steps look; 0: all is done in turns.

    Raises:
        LookFailed: one of them raised; it says which, and why.
    """
    began, own, made = time.perf_counter(), dict.fromkeys(lookers, 0.0), {}

    def resume(name: str, batch: Sequence[Picture] | None) -> Any:
        started = time.perf_counter()
        try:
            return lookers[name].send(batch)  # type: ignore[arg-type] - None starts a generator
        except StopIteration:
            raise
        except Exception as error:
            raise LookFailed(name) from error
        finally:
            own[name] += time.perf_counter() - started

    try:
        wanted = {name: merge_spans(list(resume(name, None) or ())) for name in lookers}
        every = merge_spans([span for spans in wanted.values() for span in spans])
        batches = _batches(decode(every) if every else (), batch_size)
        with closing(ahead(batches, depth) if depth else batches) as film:
            for batch in film:
                for name in lookers:
                    if mine := [picture for picture in batch if _within(picture.frame, wanted[name])]:
                        resume(name, mine)
                on_frame(batch[-1].frame)
        for name in lookers:
            try:
                resume(name, ())
            except StopIteration as over:
                made[name] = over.value
            else:
                raise TypeError(f"step '{name}' goes on after the film is over: an empty batch must end it")
    finally:
        for looker in lookers.values():
            looker.close()
    share = (time.perf_counter() - began - sum(own.values())) / len(lookers)
    return Seen(made, {name: seconds + share for name, seconds in own.items()})


def drive(looker: Look[Artifact], pictures: Iterable[Picture]) -> Artifact:
    """Run one looking step on given pictures, as tests and notebooks do."""
    shown = list(pictures)

    def decode(spans: Sequence[Span]) -> Iterator[Picture]:
        return (picture for picture in shown if _within(picture.frame, spans))

    try:
        return look(decode, {"it": looker}).made["it"]
    except LookFailed as error:
        raise error.__cause__ or error from None


def _within(frame: int, spans: Sequence[Span]) -> bool:
    """Whether sorted, separate spans hold a frame."""
    last = bisect_right(spans, frame, key=lambda span: span.start) - 1
    return last >= 0 and frame < spans[last].stop


def _batches(pictures: Iterable[Picture], size: int) -> Generator[list[Picture], None, None]:
    batch: list[Picture] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
