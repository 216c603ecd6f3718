"""Where examples come from: the people of a store who speak alone, and what their faces are to a network."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.mix_sounds import Sounds
from phonoscope.data.split import SETS, TRAINING, VALIDATION
from phonoscope.data.voices import Voice, parted_anew, voices_in
from phonoscope.store.folder import Store
from phonoscope.tasks.separation.examples import FPS, Face, Material
from phonoscope.tasks.separation.params import ExamplesParams

MAKES = {"lips": "phonoscope run lips {}", "embeddings": "phonoscope run embeddings {} --embeddings.per-track 0"}


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Voices of a store, and what was not taken."""

    material: Material
    voices: Sequence[Voice] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)  # recording -> why
    model: str = ""  # that made the rows of faces, as in mouth@1; "": nobody looks at faces


def found_in(source: Path, p: ExamplesParams, *, sees: bool = True, blind: bool = False) -> Found:
    """The voices of a store, parted into sets.

    Args:
        sees: the network looks at faces.
        blind: it could, but is shown none.

    Raises:
        UsageError: it is no store, or has no voice, or none whose face's rows are there as they are wanted; or a folder
            of noise or rooms has no sound in it.
    """
    if not (source / "store.json").exists():
        raise UsageError(f"'{source}' is no store: `phonoscope prepare FILM --to {source}` makes one")
    noise, responses = (Path(it).expanduser() if it else None for it in (p.noise, p.responses))
    sounds = Sounds(noise, responses)
    _ = sounds.noises, sounds.rooms  # before anything is listened to
    store = Store(source)
    # whoever is heard: who is seen enough is asked below, of what faces are to a network
    heard = voices_in(store, least_s=p.least_s, seed=p.split_seed)
    voices, left_out, model = list(heard.voices), dict(heard.left_out), ""
    if sees and not blind:
        voices, unseen, model = _seen(voices, p, source)
        left_out = unseen | left_out
    if not voices:
        why = next(iter(left_out.values()), "it has no recordings")
        raise UsageError(f"the store at '{source}' has no voice to learn from: {why}")
    sets: dict[str, list[Voice]] = {name: [] for name in SETS}
    for voice in voices:
        sets.setdefault(voice.split, []).append(voice)
    face: Face | None = _unseen if blind else (lambda voice: voice.rows(p.rows)) if sees else None
    return Found(Material(sets, face, sounds), voices, left_out, model)


def contents(found: Found, rows: str) -> str:
    """What is learnt from, in 16 hex digits: who is heard when, in which set and noise, by which recipes."""
    said = []
    for it in found.voices:
        receipts = it.stored.receipts
        keys = [receipts[name].key for name in ("audio", rows) if name in receipts]
        said.append([it.stored.recording.id, it.track, it.span.start, it.span.stop, it.speaker, it.split, *keys])
    said += found.material.sounds.told()
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]


def checked(found: Found, source: Path, speakers: int, wanted: Iterable[str] = (TRAINING, VALIDATION)) -> None:
    """Nothing, if there are as many people in every split that is wanted as a mixture has.

    Raises:
        UsageError: there are not.
    """
    counts = {split: len(found.material.people.get(split, ())) for split in SETS}
    for split in wanted:
        if counts[split] < speakers:
            has = f"{counts[split]} speaker{'' if counts[split] == 1 else 's'} in the split '{split}'"
            there = ", ".join(f"{count} in {name}" for name, count in counts.items())
            seed = seed_for(found.voices, speakers)
            seeded = f"train with --split-seed {seed}, which gives each set {speakers} or more"
            told = f"'{source}' has {has}, mixtures want {speakers} ({there})"
            raise UsageError(f"{told}: {seeded if seed else 'take more people'}, or lay films into SPLIT/SPEAKER/")


def seed_for(voices: Sequence[Voice], speakers: int) -> int | None:
    """The least seed, 0 aside, that draws as many people into each set; None if none of a hundred does."""
    for seed in range(1, 101):
        people = {(it.split, it.speaker) for it in parted_anew(voices, seed)}
        if all(sum(split == name for split, _ in people) >= speakers for name in SETS):
            return seed
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much there is of a split."""

    speakers: int
    voices: int
    minutes: float

    def __str__(self) -> str:
        return f"{self.speakers} people, {self.minutes:.1f} min in {self.voices} stretches"


def extent(material: Material, split: str) -> Extent:
    """How much there is of a split."""
    voices = material.voices.get(split, ())
    minutes = sum(len(it.span) for it in voices) / FPS / 60
    return Extent(speakers=len(material.people.get(split, ())), voices=len(voices), minutes=round(minutes, 2))


def _seen(voices: Sequence[Voice], p: ExamplesParams, source: Path) -> tuple[list[Voice], dict[str, str], str]:
    """Those whose faces have rows and are seen enough, why others are left out, and the model that made the rows."""
    makes = f"`{MAKES[p.rows].format(source)}` makes them"
    kept, left_out, models = [], {}, set()
    for voice in voices:
        stored = voice.stored
        if p.rows not in stored.fresh:
            left_out[stored.folder.name] = f"it has no {p.rows}: {makes}"
            continue
        receipt = stored.receipts[p.rows]
        if p.rows == "embeddings" and (few := (receipt.params or {}).get("per_track")):
            left_out[stored.folder.name] = f"it has embeddings of {few} frames a track only: {makes}"
            continue
        models.add(receipt.card or "")
        if (missing := float(np.isnan(voice.rows(p.rows)[:, 0]).mean())) > p.max_missing:
            told = f"a face is missing in {missing:.0%} of the frames, {p.max_missing:.0%} are allowed"
            left_out.setdefault(stored.folder.name, told)
        else:
            kept.append(voice)
    if len(models) > 1:
        said = f"{p.rows} of '{source}' are by {' and '.join(sorted(models))}"
        raise UsageError(f"{said}: `{MAKES[p.rows].format(source)} --{p.rows}.model NAME` makes them alike")
    return kept, left_out, next(iter(models), "")


def _unseen(voice: Voice) -> np.ndarray:
    return np.full((len(voice.span), 1), np.nan, np.float32)
