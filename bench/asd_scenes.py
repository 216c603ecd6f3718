"""Who speaks, of real people whose mouths all move: scenes of two faces with exact truth.

Two clips are put side by side. In a scene of *turns* one is heard in its first half and the other in its second; in a
*dub* somebody else is heard, in *silence* nobody; beside a *listener*, who does not speak, one is heard throughout.
Faces come through the pipeline: film, detector, tracks, crops. Scenes are not encoded: only their sound is mounted.
"""

import csv
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

from bench.table import Row, Table
from phonoscope import Store, prepare
from phonoscope.core.errors import MissingWeights
from phonoscope.core.geometry import POLICIES
from phonoscope.metrics.ranking import average_precision
from phonoscope.models import load
from phonoscope.store.recording import StoredRecording

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PER_FRAME = 640  # samples
LEVEL = 0.05  # RMS that every voice is brought to, full scale 1
QUIET_DB = 25  # a person is heard in frames within so many dB of their loudest
ROOM = 2e-4  # RMS of the sound of a room in which nobody speaks
DELAYS_S = (0.0, 0.2, 0.4, 1.0)
SCORERS = ("motion", "tiny", "lr-asd", "light-asd")

# `tiny` has learnt from none of these people; of theirs, choices about it were made on the first four alone.
CHOSEN_ON = ("katie_hill", "retalk1", "voxA", "voxK")
NEVER_USED = ("retalk5", "theresa_may", "voxC", "voxE", "voxG", "voxI")
LISTENER = "pyfeat"


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One person, who talks in sync or not at all."""

    name: str
    person: str
    faces: np.ndarray  # (T, 112, 112) uint8, the middle of the `asd` crop
    voice: np.ndarray  # (640 T,) float32 at 16 kHz, of RMS 0.05
    heard: np.ndarray  # (T,) bool


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Two faces, one sound, and who speaks."""

    kind: str
    faces: tuple[np.ndarray, np.ndarray]  # (T, 112, 112) uint8 each
    sound: np.ndarray  # (640 T,) float32
    speaks: np.ndarray  # (2, T) bool


def measure() -> list[Table]:
    """Average precision of every scorer that can be had, as filmed and with the sound late, and what a face costs."""
    scorers = {}
    for name in SCORERS:
        try:
            scorers[name] = load(name)
        except MissingWeights:
            continue
    with tempfile.TemporaryDirectory() as folder:
        kept = clips((*CHOSEN_ON, *NEVER_USED, LISTENER), Path(folder))
    never_used = [clip for clip in kept if clip.person not in CHOSEN_ON]
    chosen_on = [clip for clip in kept if clip.person not in NEVER_USED]
    return [
        _table("six people on whom nothing was ever chosen", never_used, scorers),
        _table("four people on whom choices about `tiny` were made", chosen_on, scorers),
    ]


def clips(people: Sequence[str], folder: Path) -> list[Clip]:
    """The clips of these people, as the pipeline sees them; `folder` becomes a store."""
    with (DATA / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["speakers"] in people and row["faces"]]
    person = {row["sha256"]: row["speakers"] for row in rows}
    list(prepare([DATA / row["path"] for row in rows], folder, ("tracks",)).carry_out())
    store = Store(folder)
    recordings = sorted((store[id] for id in store), key=lambda recording: recording.source.name)
    return [_clip(recording, person[recording.recording.sha256]) for recording in recordings]


def _clip(recording: StoredRecording, person: str) -> Clip:
    track = max(recording.load("tracks"), key=len)
    middle = slice(*(POLICIES["asd"].size // 2 + np.array([-56, 56])).tolist())
    faces = recording.crops(track.id, "asd", grey=True)[:, middle, middle]
    voice = recording.audio(track.span)
    power = (voice.reshape(-1, PER_FRAME) ** 2).mean(1)
    heard = (power > np.percentile(power, 95) * 10 ** (-QUIET_DB / 10)) & (person != LISTENER)
    level = LEVEL / max(float(np.sqrt(power.mean())), 1e-6)
    return Clip(recording.source.name, person, faces, (voice * level).astype(np.float32), heard)


def scenes(among: Sequence[Clip], delay_s: float = 0.0) -> list[Scene]:
    """Every clip beside the next one and the one after it, of other people; all kinds.

    Args:
        delay_s: by how much each voice comes late; what the end then loses stands at its begin.
    """
    talking, made = [clip for clip in among if clip.person != LISTENER], []
    listeners = [clip for clip in among if clip.person == LISTENER]
    late = round(delay_s * 16000)
    for at, one in enumerate(talking):
        others = [clip for clip in (*talking[at + 1 :], *talking[:at]) if clip.person != one.person]
        made += [_turns(one, other, late) for other in others[:2]]
        made += [_dub(one, others[0], others[1]), _silence(one, others[0], seed=at)]
        made += [_beside(one, listener, late) for listener in listeners]
    return made


def _turns(one: Clip, other: Clip, late: int) -> Scene:
    frames = min(len(one.faces), len(other.faces))
    half = np.arange(frames) < frames // 2
    first = np.repeat(half, PER_FRAME)
    voices = [np.roll(clip.voice, late)[: len(first)] for clip in (one, other)]
    speaks = np.stack([one.heard[:frames] & half, other.heard[:frames] & ~half])
    return Scene("turns", (one.faces[:frames], other.faces[:frames]), np.where(first, *voices), speaks)


def _beside(one: Clip, listener: Clip, late: int) -> Scene:
    frames = min(len(one.faces), len(listener.faces))
    speaks = np.stack([one.heard[:frames], np.zeros(frames, bool)])
    sound = np.roll(one.voice, late)[: frames * PER_FRAME]
    return Scene("listener", (one.faces[:frames], listener.faces[:frames]), sound, speaks)


def _dub(one: Clip, other: Clip, third: Clip) -> Scene:
    frames = min(len(one.faces), len(other.faces), len(third.faces))
    faces = one.faces[:frames], other.faces[:frames]
    return Scene("dub", faces, third.voice[: frames * PER_FRAME], np.zeros((2, frames), bool))


def _silence(one: Clip, other: Clip, seed: int) -> Scene:
    frames = min(len(one.faces), len(other.faces))
    sound = np.random.default_rng(seed).normal(0, ROOM, frames * PER_FRAME).astype(np.float32)
    return Scene("silence", (one.faces[:frames], other.faces[:frames]), sound, np.zeros((2, frames), bool))


Scorer = Callable[[np.ndarray, np.ndarray], np.ndarray]


def judged(scorer: Scorer, given: Sequence[Scene]) -> tuple[np.ndarray, np.ndarray]:
    """Truth (N,) bool and scores (N,) of all frames of all faces of these scenes."""
    scores = [scorer(faces, scene.sound) for scene in given for faces in scene.faces]
    return np.concatenate([scene.speaks.ravel() for scene in given]), np.concatenate(scores)


def precision(scorer: Scorer, among: Sequence[Clip], delay_s: float = 0.0) -> dict[str, float]:
    """Average precision over scenes of all kinds, "all", and over those of turns, and of listeners, alone."""
    given = scenes(among, delay_s)
    kinds = {"all": {"turns", "listener", "dub", "silence"}, "turns": {"turns"}, "listener": {"listener"}}
    every = [(scene, *judged(scorer, [scene])) for scene in given]
    found = {}
    for kind, wanted in kinds.items():
        some = [(truth, scores) for scene, truth, scores in every if scene.kind in wanted]
        if some:
            found[kind] = average_precision(*(np.concatenate(part) for part in zip(*some, strict=True)))
    return found


def _table(title: str, among: Sequence[Clip], scorers: dict[str, Scorer]) -> Table:
    rows = []
    for name, scorer in scorers.items():
        by_delay = [precision(scorer, among, delay_s) for delay_s in DELAYS_S]
        alone = ", ".join(f"{kind} {by_delay[0][kind]:.2f}" for kind in ("turns", "listener"))
        rows.append(Row(f"{name}: AP as filmed ({alone})", f"{by_delay[0]['all']:.3f}", "", None))
        late = [found["all"] for found in by_delay[1:]]
        words = ", ".join(f"{delay_s:g} s" for delay_s in DELAYS_S[1:])
        met = max(late) < by_delay[0]["all"]
        rows.append(Row(f"{name}: sound late by {words}", " ".join(f"{ap:.3f}" for ap in late), "lower", met))
        rows.append(Row(f"{name}: CPU a face and frame", f"{_cost_ms(scorer, among[0]):.2f} ms"))
    given = scenes(among)
    counts = {kind: sum(scene.kind == kind for scene in given) for kind in ("turns", "listener", "dub", "silence")}
    truth = np.concatenate([scene.speaks.ravel() for scene in given])
    told = ", ".join(f"{count} of {kind}" for kind, count in counts.items())
    many = len({clip.person for clip in among} - {LISTENER})
    notes = (
        f"{many} people, {len(given)} scenes ({told}), {len(truth)} faces; share of positives {truth.mean():.2f}. "
        "Everybody's mouth moves but the listener's.",
    )
    return Table(f"Who speaks: {title}", rows, notes)


def _cost_ms(scorer: Scorer, clip: Clip) -> float:
    costs = []
    for _ in range(3):
        began = process_time()
        scorer(clip.faces, clip.voice)
        costs.append(1000 * (process_time() - began) / len(clip.faces))
    return median(costs)


if __name__ == "__main__":
    for table in measure():
        table.show()
