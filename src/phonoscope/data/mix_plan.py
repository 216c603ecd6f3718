"""Which mixtures a store gives: worked out from voices, before anything is mixed or written."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.corpora.avspeech import read_valid
from phonoscope.data.mix_combos import Combos, by_lot, shared_out
from phonoscope.data.mix_pieces import Cutter, Piece
from phonoscope.data.mix_sounds import Sounds, one_of
from phonoscope.data.mixing import Levels, MixParams, drawn
from phonoscope.data.split import SETS
from phonoscope.data.voices import FPS, Voice, voices_in
from phonoscope.store.folder import Store

MOST = 1000  # mixtures, if nobody says


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanParams:
    """Which voices are mixed, how many mixtures, how long."""

    count: int | None = None  # mixtures, exactly so many
    max: int | None = None  # mixtures, so many at most, in all sets together; 1000 if nothing is said
    seconds: float = 3.0  # s, of each mixture: voices are cut into pieces of that length
    split: tuple[str, ...] = ()  # sets to be mixed; by default each that has as many speakers as a mixture
    noise: Path | None = None  # folder of noise that is laid below the voices
    responses: Path | None = None  # folder of impulse responses of rooms, one of which answers to each voice
    min_active: float = 0.2  # least share of a piece in which its voice is heard
    max_missing: float = 1.0  # share of frames, up to which the face may be missing; 0: seen in each
    valid: Path | None = None  # a valid_frame.txt: only what it lists, rows of AVSpeech's catalogue or ids of ids.csv
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)  # of speakers, training validation test, where none lists
    split_seed: int = 0  # of which speaker falls into which set

    def __post_init__(self) -> None:
        within("--seconds", self.seconds, 0.1)
        within("--min-active", self.min_active, 0, 1)
        within("--max-missing", self.max_missing, 0, 1)
        for name, value in (("--count", self.count), ("--max", self.max)):
            if value is not None:
                within(name, value, 1)
        if self.count is not None and self.max is not None:
            raise UsageError("--count asks for exactly so many mixtures, --max for so many at most: give one of them")

    @property
    def frames(self) -> int:
        """Of each mixture."""
        return max(1, round(self.seconds * FPS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixing:
    """One mixture that is to be made."""

    name: str
    split: str
    pieces: tuple[Piece, ...]
    levels: Levels
    noise: str = ""  # file, as a path below the folder
    noise_at: float = 0.0  # where in it the noise begins, 0 to 1
    responses: tuple[str, ...] = ()  # files, one a voice; none: no room


@dataclass(frozen=True)
class SetPlan:
    """The mixtures of one set; each is worked out when it is asked for."""

    split: str
    pieces: tuple[Piece, ...]
    params: MixParams
    noises: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    count: int = 0  # mixtures

    @cached_property
    def combos(self) -> Combos[Piece]:
        """All mixtures of different voices that the set could have."""
        speakers: dict[str, list[Piece]] = {}
        for piece in self.pieces:
            speakers.setdefault(piece.voice.speaker, []).append(piece)
        return Combos([*speakers.values()], self.params.speakers)

    @property
    def speakers(self) -> int:
        """How many people it has."""
        return len({piece.voice.speaker for piece in self.pieces})

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Mixing]:
        return (self._mixing(at, number) for at, number in enumerate(self._numbers))

    @cached_property
    def _numbers(self) -> list[int]:
        rng = np.random.default_rng([self.params.seed, *self.split.encode()])
        return by_lot(self.combos.total, self.count, rng)

    def _mixing(self, at: int, number: int) -> Mixing:
        """What is left to chance depends on the seed, the set and the mixture's place in it alone."""
        rng = np.random.default_rng([self.params.seed, at, *self.split.encode()])
        pieces = self.combos[number]
        pieces = tuple(pieces[it] for it in rng.permutation(len(pieces)))
        levels = drawn(self.params, rng, noisy=bool(self.noises))
        noise, noise_at = (one_of(self.noises, rng), float(rng.random())) if self.noises else ("", 0.0)
        rooms = tuple(one_of(self.rooms, rng) for _ in pieces) if self.rooms else ()
        return Mixing(
            name=f"{self.split}-{at:06d}", split=self.split, pieces=pieces, levels=levels, noise=noise,
            noise_at=noise_at, responses=rooms,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MixPlan:
    """What is to be mixed."""

    store: Store
    params: PlanParams
    mix: MixParams
    sets: Mapping[str, SetPlan]
    pieces: tuple[Piece, ...]  # of all voices, also of those in no set
    left_out: Mapping[str, str] = field(default_factory=dict)  # recording, piece or set -> why
    notes: Mapping[str, str] = field(default_factory=dict)  # piece -> what is odd about it

    def __len__(self) -> int:
        return sum(len(it) for it in self.sets.values())


def plan_mixtures(store: Store, p: PlanParams, mix: MixParams, *, one_each: bool = False) -> MixPlan:
    """The mixtures that a store gives, by a seed; voices are listened to, but nothing is mixed or written.

    No mixture has a speaker twice, none is made twice, and no speaker or recording is in two sets.

    Args:
        one_each: only the first piece of each voice.

    Raises:
        UsageError: no set has as many speakers as a mixture, or one that is asked for has not; there are fewer
            mixtures than `count`; or a folder of noise or rooms has no sound in it.
    """
    sounds = Sounds(p.noise, p.responses)
    noises, rooms = sounds.noises, sounds.rooms
    found = voices_in(store, least_s=0, max_missing=1, shares=dict(zip(SETS, p.shares, strict=True)), seed=p.split_seed)
    cutter = Cutter(p.frames, p.min_active, p.max_missing, one_each, dict(found.left_out))
    pieces = _pieces(found.voices, cutter, read_valid(p.valid) if p.valid else None)
    left_out = cutter.left_out
    sets = {}
    there = list(dict.fromkeys([*SETS, *sorted({it.voice.split for it in pieces})]))
    if unknown := [name for name in p.split if name not in there]:
        raise UsageError(f"--split '{unknown[0]}' is no set of '{store.root}'; there are {', '.join(there)}")
    for name in p.split or there:
        part = SetPlan(name, tuple(it for it in pieces if it.voice.split == name), mix, noises, rooms)
        if part.speakers >= mix.speakers:
            sets[name] = part
        elif part.pieces or p.split:
            left_out[name] = f"{part.speakers} of {mix.speakers} speakers that a mixture wants"
    if missing := [name for name in p.split if name not in sets] or ([] if sets else ["the store"]):
        raise UsageError(_too_few(store, missing[0], mix.speakers, pieces, left_out))
    counts = _counts(sets, p)
    sets = {name: SetPlan(name, it.pieces, mix, noises, rooms, counts[name]) for name, it in sets.items()}
    return MixPlan(
        store=store, params=p, mix=mix, sets=sets, pieces=tuple(pieces), left_out=left_out, notes=cutter.notes
    )


def _pieces(voices: Sequence[Voice], cutter: Cutter, valid: Collection[int] | None) -> list[Piece]:
    """The pieces of these voices; of a list, those that it names as such a plan would call them.

    Args:
        valid: rows of AVSpeech's catalogue where it lists every voice, else numbers of pieces; None: all.
    """
    rows = [it.row for it in voices]
    by_row = None not in rows and (len({*rows}) == len(rows) or not cutter.one_each)
    if valid is not None and by_row:
        voices = [it for it in voices if it.row in valid]
    pieces = cutter.pieces(voices, by_row and cutter.one_each)
    return pieces if valid is None or by_row else [it for it in pieces if it.number in valid]


def _counts(sets: Mapping[str, SetPlan], p: PlanParams) -> dict[str, int]:
    """How many mixtures each set has, by how many pieces it has."""
    totals = {name: it.combos.total for name, it in sets.items()}
    if p.count is not None and p.count > sum(totals.values()):
        there = ", ".join(f"{total} in {name}" for name, total in totals.items())
        raise UsageError(f"--count {p.count} mixtures, but there are {there}: add recordings, or say --max {p.count}")
    asked = p.count or p.max or MOST
    return shared_out(asked, {name: len(it.pieces) for name, it in sets.items()}, totals)


def _too_few(store: Store, where: str, wanted: int, pieces: Sequence[Piece], left_out: Mapping[str, str]) -> str:
    people: dict[str, set[str]] = {}
    for it in pieces:
        people.setdefault(it.voice.split, set()).add(it.voice.speaker)
    there = ", ".join(f"{len(its)} in {name}" for name, its in sorted(people.items())) or "none"
    lost = [f"; left out: '{name}', {why}" for name, why in left_out.items() if name not in people]
    more = f" and {len(lost) - 1} more" if lost[1:] else ""
    called = where if where != "the store" else store.root
    mend = "add recordings of more people, or change --shares of speakers that no corpus lists"
    return (
        f"a mixture wants {wanted} speakers of one set, '{called}' has too few (speakers: {there})"
        f"{''.join(lost[:1])}{more}: {mend}"
    )
