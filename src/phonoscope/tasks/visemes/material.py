"""A folder of labelled speech as frames to learn from or to judge by, read a file at a time."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.corpora.viseme_labels import Labelled, labelled, pairs_in
from phonoscope.tasks.visemes.frames import Frames, drawn
from phonoscope.tasks.visemes.params import FramesParams
from phonoscope.tasks.visemes.speakers import speakers_of


def frames_of(
    source: Path,
    p: FramesParams,
    most: int,
    passed: Callable[[str], bool] = lambda digest: False,
    *,
    whole: bool = True,
) -> tuple[Frames, tuple[str, ...]]:
    """The frames of a folder, and a line for each file that was left out.

    Args:
        passed: labels, by their digest, that are passed over.
        whole: every class must be there.

    Raises:
        UsageError: there is nothing in it.
    """
    found = pairs_in(source, p.first, p.last)
    faults, read = list(found.faults), labelled(found.pairs, lambda fault: faults.append(fault))
    if p.speakers:
        speakers_of([pair.name for pair in found.pairs], p.speakers)  # before hours of reading, not after
    held = _Held(read, passed)
    try:
        frames = drawn(held, p, most, lambda names: speakers_of(names, p.speakers), whole=whole)
    except UsageError:
        if not held.read and faults:
            raise UsageError(f"none of {len(found.pairs)} pairs in '{source}' can be used: {faults[-1]}") from None
        if held.read and held.passed == held.read:
            raise UsageError(f"the model has learnt from all {held.read} utterances of '{source}': give it others, "
                             "or --split all") from None  # fmt: skip
        raise
    return frames, tuple(faults)


class _Held:
    """Labelled speech as it goes by, counted."""

    def __init__(self, speech: Iterable[Labelled], passed: Callable[[str], bool]) -> None:
        self._speech, self._passed = speech, passed
        self.read = self.passed = 0

    def __iter__(self) -> Iterator[Labelled]:
        for it in self._speech:
            self.read += 1
            if self._passed(it.digest):
                self.passed += 1
            else:
                yield it
