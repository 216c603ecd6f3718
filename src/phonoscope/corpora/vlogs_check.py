"""Are collected clips fit for training? Each problem in one line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope.core.series import Series
from phonoscope.corpora.vlogs import Tree
from phonoscope.flow.run import Outcome
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri

NEEDS = ("tracks", "vad")  # artifacts that the check looks at
SHORTEST_S = 1.0  # of a clip
SPEECH = 0.5  # probability above which vad counts as speech
LEAST_SPEECH_S = 0.5  # in a clip


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a clip, a speaker or a set."""

    path: str  # within the folder; of a speaker who sits in several sets, the name
    kind: str  # "no-face", "several-faces", "no-sound", "no-speech", "too-short", "unreadable", …
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.kind}: {self.message}"


def misplaced(tree: Tree) -> list[Problem]:
    """What is wrong with how clips lie, whatever is in them."""
    found = [Problem(path, "astray", "does not lie as {set}/{speaker}/{clip}") for path in tree.astray]
    found += [Problem(path, "empty", "there is no clip in this folder") for path in tree.empty]
    for speaker, sets in tree.doubled.items():
        found.append(Problem(speaker, "in-two-sets", f"this speaker sits in {', '.join(sets)}: leave them in one"))
    return found


def unfit(tree: Tree, outcomes: Mapping[str, Outcome], store: Store) -> list[Problem]:
    """What is wrong with the clips themselves.

    Args:
        outcomes: what has become of each clip, by its URI, once `NEEDS` were made in `store`.
    """
    found: list[Problem] = []
    alike: dict[str, list[str]] = {}
    for path, listed in tree.clips:
        outcome = outcomes[as_uri(str(path))]
        if failure := outcome.failure:
            kind = "unreadable" if failure.step == "ingest" else "failed"
            why = "" if failure.reason == kind else f"{failure.reason}: "
            found.append(Problem(listed.path, kind, why + failure.message))
            continue
        stored = store[outcome.recording]
        alike.setdefault(stored.recording.sha256, []).append(listed.path)
        found += [Problem(listed.path, kind, message) for kind, message in _faults(stored)]
    for first, *others in alike.values():
        if others:
            found.append(Problem(first, "same-content", f"the same film as {', '.join(others)}"))
    return found


def _faults(stored: StoredRecording) -> Iterator[tuple[str, str]]:
    """What is wrong with one clip: a kind, and what was found."""
    recording = stored.recording
    length_s = float(recording.duration_s)
    if length_s < SHORTEST_S:
        yield "too-short", f"{length_s:.2f} s; at least {SHORTEST_S:g} s are needed"
        return
    crowd = np.zeros(recording.num_frames, np.int32)
    for track in stored.load("tracks"):
        crowd[track.start : track.span.stop] += 1
    if not crowd.any():
        yield "no-face", "nobody is seen"
    if (crowd > 1).any():
        several_s = float((crowd > 1).sum() / recording.fps)
        yield "several-faces", f"{crowd.max()} faces at a time, more than one for {several_s:.1f} of {length_s:.1f} s"
    if not recording.num_samples:
        yield "no-sound", "the film is silent"
        return
    voice: Series = stored.load("vad")
    speech_s = float((voice.values > SPEECH).sum() / voice.rate)
    if speech_s < LEAST_SPEECH_S:
        yield "no-speech", f"speech for {speech_s:.1f} of {length_s:.1f} s"
