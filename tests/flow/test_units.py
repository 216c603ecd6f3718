"""Long film cut into units gives the same bytes as long film that is not, whatever happens in between."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists

from phonoscope.core.faces import Shots, Track, Tracks
from phonoscope.core.time import Span
from phonoscope.flow.executors import Here
from phonoscope.flow.ingest import GIVEN
from phonoscope.flow.plan import plan
from phonoscope.flow.rounds import in_rounds
from phonoscope.flow.run import Outcome, Work
from phonoscope.flow.units import Unit, cut
from phonoscope.job import DEFAULT, STEPS, Params
from phonoscope.media.encode import FilmWriter
from phonoscope.media.video import decode
from phonoscope.store.bucket import bucket_at
from phonoscope.store.folder import Store
from phonoscope.store.ledger import Failure
from phonoscope.testing.fakes import (
    FakeDetector,
    FakeEmbedder,
    FakeLandmarker,
    FakeLipEncoder,
    FakeScorer,
    FakeVoice,
)
from phonoscope.testing.quick import fingerprint, quick_job

APART = tuple(name for name, step in STEPS.items() if step.apart)
SHOTS = (30, 22, 41, 13, 35)  # frames
MINUTE = 25 * 60  # frames


class FakeHands:
    """Takes what is bright for hands."""

    card, size = FakeDetector.card, 64

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        boxes, scores, _ = FakeDetector()(image)
        return boxes, scores


RULES = {
    "face_detector": FakeDetector(),
    "voice_detector": FakeVoice(),
    "speaking_scorer": FakeScorer(),
    "face_landmarker": FakeLandmarker(),
    "face_embedder": FakeEmbedder(),
    "lip_encoder": FakeLipEncoder(),
    "hand_detector": FakeHands(),
}


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Five shots, each of another colour; in all but one a bright face goes about, in one of them two."""
    path = tmp_path_factory.mktemp("films") / "five shots.mp4"
    draw(path, SHOTS)
    return path


def draw(path: Path, shots: Sequence[int]) -> None:
    colours = np.array([(20, 20, 140), (190, 180, 40), (30, 90, 30), (180, 60, 180), (40, 40, 40)], np.uint8)
    noise = np.random.default_rng(6).normal(0, 0.1, (sum(shots), 640)).astype(np.float32)
    number = 0
    with FilmWriter(path, (96, 160), Fraction(25), 16000, preset="veryfast") as writer:
        for shot, length in enumerate(shots):
            for frame in range(length):
                picture = np.tile(colours[shot % 5], (96, 160, 1))
                for face in range((1, 2, 0, 1, 1)[shot % 5]):
                    x, y = 10 + 70 * face + frame % 9, 20 + 3 * shot
                    picture[y : y + 40, x : x + 32] = 255
                    picture[y + 30, x + 8 + frame % 7] = 90
                writer.picture(picture)
                writer.sound(noise[number])
                number += 1


def work_on(root: Path | str, names: Sequence[str] = (*DEFAULT, *APART), **settings: Any) -> Work:
    """Work with a rule for every model."""
    params = {name: replace(getattr(Params(), name), **its) for name, its in settings.items()}
    steps = plan(names, STEPS, frozenset(GIVEN))
    settled = {step.name: params.get(step.name, getattr(Params(), step.name)) for step in steps if step.params}
    for step in steps:
        if step.backend_kind:
            settled[step.name] = replace(settled[step.name], model=step.backend_kind)
    return Work(
        root=Store.create(root).uri, steps=tuple(steps), params=settled,
        load_backend=lambda kind, threads: RULES[kind], card_of=lambda kind: RULES[kind].card.identity,
    )  # fmt: skip


def in_units(work: Work, film: Path, frames: float, on_progress: Callable[..., None] = lambda *_: None) -> Outcome:
    """The outcome of a film that is cut into units of so many frames, here."""
    (outcome,) = in_rounds(Here(), replace(work, unit_minutes=frames / MINUTE), [str(film)], on_progress)
    return outcome


@pytest.fixture(scope="module")
def uncut(film, tmp_path_factory) -> tuple[Outcome, dict[str, str]]:
    root = tmp_path_factory.mktemp("uncut")
    return work_on(root)(str(film)), fingerprint(root)


def debris(root: Path) -> list[Path]:
    """What nobody should ever see once the work is through."""
    return [*root.rglob(".*"), *root.rglob("units")]


@pytest.mark.parametrize(("frames", "count"), [(65, 2), (8, 5)])
def test_the_bytes_are_those_of_film_that_is_not_cut(film, uncut, tmp_path, frames, count):
    told = []
    outcome = in_units(work_on(tmp_path), film, frames, lambda *it: told.append(it))
    whole, files = uncut
    assert outcome.failure is None and {*APART} <= {*outcome.made}
    assert {it[0].partition("#")[2] for it in told} == {"", *(f"{k}/{count}" for k in range(1, count + 1))}
    assert fingerprint(tmp_path) == files and not debris(tmp_path)
    assert sorted(outcome.made) == sorted(whole.made) and (outcome.kept, outcome.source) == (whole.kept, whole.source)
    assert all(done <= of for _, _, done, of in told)


def test_processes_and_one_film_given_twice_give_the_same_bytes(film, tmp_path):
    (tmp_path / "twin").mkdir()
    twin = tmp_path / "twin" / film.name
    twin.write_bytes(film.read_bytes())
    list(quick_job([film], tmp_path / "uncut").carry_out())
    outcomes = list(quick_job([film, twin], tmp_path / "cut").carry_out(2, unit_minutes=40 / MINUTE))
    assert [it.failure for it in outcomes] == [None, None] and {it.source for it in outcomes} == {
        film.as_uri(), twin.as_uri(),
    }  # fmt: skip
    assert sum("faces" in it.made for it in outcomes) == 1
    assert fingerprint(tmp_path / "cut") == fingerprint(tmp_path / "uncut") and not debris(tmp_path)


def test_a_job_that_is_stopped_goes_on_and_no_unit_is_looked_at_twice(film, uncut, tmp_path):
    first, then = [], []

    def stop(name: str, what: str, *_: int) -> None:
        first.append((name, what))
        if "#4/5" in name and "+" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_units(work_on(tmp_path), film, 8, stop)
    assert in_units(work_on(tmp_path), film, 8, lambda *it: then.append(it[:2])).failure is None
    assert {it for it in first if "#" in it[0]} & {*then} == {first[-1]}
    assert fingerprint(tmp_path) == uncut[1] and not debris(tmp_path)


def test_parts_of_another_time_are_not_put_together(film, tmp_path):
    """Neither those made with other settings nor those of another cut."""
    names = ("thumbs", "asd", "quality")

    def stop(name: str, what: str, *_: int) -> None:
        if "#4/5" in name and "+" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_units(work_on(tmp_path / "cut", names), film, 8, stop)
    other = {"thumbs": {"size": 64}, "asd": {"piece": 7}, "quality": {"size": 48}}
    assert in_units(work_on(tmp_path / "cut", names, **other), film, 45).failure is None
    work_on(tmp_path / "uncut", names, **other)(str(film))
    assert fingerprint(tmp_path / "cut") == fingerprint(tmp_path / "uncut") and not debris(tmp_path)


class Elsewhere:
    """Does every other item on another machine: one that keeps what it fetches from a bucket in another place."""

    def __init__(self, homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.homes, self.monkeypatch, self.count = homes, monkeypatch, 0

    def run(self, work, sources, on_progress):
        for source in sources:
            self.count += 1
            self.monkeypatch.setenv("PHONOSCOPE_HOME", str(self.homes / f"machine {self.count % 2}"))
            yield work(source, on_progress)


def test_machines_put_together_through_a_bucket_what_they_have_made(film, bucket, tmp_path, monkeypatch):
    names = ("quality", "thumbs")
    work_on(tmp_path / "uncut", names)(str(film))
    work = replace(work_on(bucket, names), unit_minutes=8 / MINUTE)
    (outcome,) = in_rounds(Elsewhere(tmp_path, monkeypatch), work, [str(film)], lambda *_: None)
    assert outcome.failure is None
    monkeypatch.setenv("PHONOSCOPE_HOME", str(tmp_path / "reader"))
    stored = Store(bucket)[outcome.recording]
    assert [*stored.fresh.values()] and not stored.has("units")
    assert fingerprint(stored.folder.parents[1]) == fingerprint(tmp_path / "uncut")
    assert not [name for name in bucket_at(bucket).below("recordings") if "units" in name]


class Crashing:
    """Loses its worker over one unit."""

    workers = 2

    def run(self, work, sources, on_progress):
        for source in sources:
            if "#2/" in source:
                name = source.split(" ")[0]
                why = Failure(source=source, recording=name, step="faces", reason="crashed", message="it was killed")
                yield Outcome(source=source, recording=name, failure=why)
            else:
                yield work(source, on_progress)


def test_a_unit_that_costs_a_worker_fails_the_film_once_and_is_named(film, tmp_path):
    work = replace(work_on(tmp_path, ("tracks",)), unit_minutes=8 / MINUTE)
    (outcome,) = in_rounds(Crashing(), work, [str(film)], lambda *_: None)
    assert outcome.failure.message == "unit 2 of 5: it was killed" and outcome.failure.reason == "crashed"
    assert outcome.failure.source == film.as_uri() and outcome.recording == outcome.failure.recording
    assert outcome.recording.startswith("five-shots-") and "#" not in outcome.recording


def test_an_error_within_a_unit_is_the_film_s(film, tmp_path, monkeypatch):
    def refuse(self, image):
        raise ValueError("this is no face")

    monkeypatch.setattr(FakeEmbedder, "__call__", refuse)
    outcome = in_units(work_on(tmp_path, ("embeddings",)), film, 8)
    assert (outcome.failure.step, outcome.failure.source) == ("embeddings", film.as_uri())
    assert outcome.failure.message == "unit 1 of 5: ValueError: this is no face"


def test_film_that_has_lost_pictures_is_looked_at_as_a_whole(film, tmp_path):
    content = bytearray(film.read_bytes())
    middle = content.index(b"mdat") + len(content) // 2
    content[middle : middle + 900] = bytes(900)
    hurt = tmp_path / "hurt.mp4"
    hurt.write_bytes(content)
    names = ("quality", "thumbs")
    work_on(tmp_path / "uncut", names)(str(hurt))
    told = []
    assert in_units(work_on(tmp_path / "cut", names), hurt, 8, lambda name, *_: told.append(name)).failure is None
    assert fingerprint(tmp_path / "cut") == fingerprint(tmp_path / "uncut") and not debris(tmp_path)
    assert not [name for name in told if "#" in name]


def test_so_is_film_that_loses_pictures_only_where_one_begins_in_the_middle(film, tmp_path, monkeypatch):
    def losing(path, clock, spans, count):
        yield from decode(path, clock, spans, count)
        count.missing += spans[0].start > 0

    work_on(tmp_path / "uncut", ("quality",))(str(film))
    monkeypatch.setattr("phonoscope.media.video.decode", losing)
    told = []
    work = work_on(tmp_path / "cut", ("quality",))
    outcome = in_units(work, film, 8, lambda name, what, *_: told.append(("#" in name, what)))
    assert outcome.failure is None and outcome.made[-1] == "quality"
    assert {*told} >= {(True, "faces"), (False, "faces"), (False, "quality")} and (True, "quality") not in told
    assert fingerprint(tmp_path / "cut") == fingerprint(tmp_path / "uncut") and not debris(tmp_path)


def test_film_that_is_short_is_not_cut(film, tmp_path):
    told = []
    in_units(work_on(tmp_path, ("tracks",)), film, sum(SHOTS) / 2 + 1, lambda name, *_: told.append(name))
    assert not [name for name in told if "#" in name]


lengths = lists(integers(1, 50), min_size=1, max_size=30)


@given(lengths=lengths, count=integers(2, 12), around=lists(integers(0, 1000), max_size=5))
def test_units_tile_the_film_and_cut_neither_shot_nor_track(lengths, count, around):
    edges = np.cumsum([0, *lengths]).tolist()
    shots = Shots(tuple(Span(a, b) for a, b in pairwise(edges)), Fraction(25))
    length = edges[-1]
    tracks = Tracks(tuple(track_over(max(0, at % length - 9), min(length, at % length + 9)) for at in around))
    units = cut(shots, tracks, length, count)
    assert 1 <= len(units) <= count and {unit.start for unit in units} <= {*edges}
    assert [unit.stop for unit in units] == [*(unit.start for unit in units[1:]), length] and units[0].start == 0
    for unit in units:
        assert all(track.span & unit in (None, track.span) for track in tracks)


def track_over(start: int, stop: int) -> Track:
    length = stop - start
    return Track(0, start, np.zeros((length, 4), np.float32), np.ones(length, np.float32), np.ones(length, bool))


def test_units_are_about_as_long_as_was_asked_for_and_a_long_shot_is_one():
    shots = Shots(tuple(Span(a, b) for a, b in [(0, 90), (90, 110), (110, 420), (420, 500), (500, 600)]), Fraction(25))
    assert [(unit.start, unit.stop) for unit in cut(shots, Tracks(), 600, 6)] == [
        (0, 90), (90, 110), (110, 420), (420, 500), (500, 600),
    ]  # fmt: skip
    assert [(unit.start, unit.stop) for unit in cut(shots, Tracks(), 600, 2)] == [(0, 420), (420, 600)]


def test_a_unit_is_read_as_it_was_written():
    unit = Unit("a-film-0badc0de", 3, 7, Span(1500, 3000), ("asd", "crop_video"))
    assert str(unit) == "a-film-0badc0de#3/7 1500-3000 asd+crop_video" and Unit.parse(str(unit)) == unit
