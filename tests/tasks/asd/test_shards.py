"""Training from shards: what a store would give, run for run, and gone on with exactly where it was left."""

import shutil
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from phonoscope import Store
from phonoscope.cli.main import main
from phonoscope.core.errors import UsageError
from phonoscope.data.pack import ShardParams, pack
from phonoscope.data.shard_reading import places_in
from phonoscope.data.shard_source import ShardSource
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.tasks.asd.batches import batches_of, in_reach
from phonoscope.tasks.asd.judging import judge_of, judged
from phonoscope.tasks.asd.material import material_of
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams
from phonoscope.tasks.asd.task import batch_of
from phonoscope.tasks.asd.training import plan, train_asd
from phonoscope.testing.talkers import VLOGS, faces_of, save_face_crops, save_labels, talkers
from phonoscope.train.feed import ahead
from phonoscope.train.loop import Progress
from phonoscope.train.params import TrainParams

P = ExamplesParams(piece=30, n_samples=24, window=9, batch_frames=120)
QUICK = TrainParams(epochs=1, lr=1e-3, workers=2, checkpoint_s=0)


def stocked(root: Path, *, labelled: bool, policy: str = "asd") -> tuple[Path, Path]:
    """A store of seven people, and shards of three clips each of the same; people speak in every other second."""
    store = talkers(root / "films", VLOGS)
    for name, frames in VLOGS.items():
        stored = next(it for it in map(store.__getitem__, store) if it.listed.path == f"{name}.mp4")
        save_face_crops(stored, faces_of(frames), policy)
        if labelled:
            label = (np.arange(frames) // 25 % 2).astype(np.int8)
            label[:4] = [2, 0, 1, 2]
            save_labels(stored, label)
    params = ShardParams(film=False, shard_clips=3)
    assert all(it.failure is None for it in pack(store.root, root / "shards", "webdataset", params=params).carry_out())
    return store.root, root / "shards"


@pytest.fixture(scope="module")
def labelled(tmp_path_factory) -> tuple[Path, Path]:
    """A store with labels and its shards; not to be written to."""
    return stocked(tmp_path_factory.mktemp("labelled"), labelled=True)


@pytest.mark.parametrize("policy", ["asd", "aligned"])
def test_examples_of_shards_are_those_of_the_store(labelled, tmp_path, policy):
    made = labelled if policy == "asd" else stocked(tmp_path, labelled=True, policy=policy)
    there, here = (material_of(it, P) for it in made)
    assert there.policy == here.policy == policy
    for split, examples in there.examples.items():
        assert len(examples) == len(here.examples[split]) > 2
        for a, b in zip(examples, here.examples[split], strict=True):
            mine, theirs = there.load(a), here.load(b)
            for name in ("faces", "mfcc", "labels", "weight", "whole"):
                np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


def test_windows_of_shards_are_those_of_the_store(tmp_path):
    there, here = (material_of(it, P) for it in stocked(tmp_path, labelled=False))
    rng = [np.random.default_rng(5) for _ in range(2)]
    for split, examples in there.examples.items():
        for a, b in zip(examples, here.examples[split], strict=True):
            assert (a.start, a.audio_start, a.label, a.kind) == (b.start, b.audio_start, b.label, b.kind)
            loud = AugmentParams(overlay=1.0)
            mine = there.vary(a, examples, rng[0], loud)
            theirs = here.vary(b, here.examples[split], rng[1], loud)
            np.testing.assert_array_equal(mine.faces, theirs.faces)
            np.testing.assert_array_equal(mine.mfcc, theirs.mfcc)


def run(source: Path, to: Path, p: TrainParams = QUICK, stop_after: int = 0):
    """Train the smallest network; be stopped after so many steps."""
    steps = 0

    def watch(progress: Progress) -> None:
        nonlocal steps
        steps += not progress.figures
        if stop_after and steps == stop_after:
            raise KeyboardInterrupt

    return train_asd(plan("tiny", source, learning=p, examples=P), to, on_progress=watch)


def test_a_run_from_shards_is_that_from_the_store_and_goes_on_exactly(labelled, tmp_path):
    store, shards = labelled
    there, here = run(store, tmp_path / "store"), run(shards, tmp_path / "shards")
    a, b = (read_state_dict(it.weights).tensors for it in (there, here))
    assert a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
    assert there.test == here.test
    again = tmp_path / "again" / "shards"  # a run's card tells its folder's name
    for stop_after in (2, 3):
        with pytest.raises(KeyboardInterrupt):
            run(shards, again, stop_after=stop_after)
        assert torch.load(again / "checkpoint.pt", weights_only=True)["place"]["step"] > 0
    assert run(shards, again).weights.read_bytes() == here.weights.read_bytes()
    assert judged_alike(here.weights, store, shards)


def judged_alike(weights: Path, store: Path, shards: Path) -> bool:
    """Whether a run is judged the same on both, in the base install."""
    there, here = (judged(judge_of(weights, "tiny"), material_of(it, P), "test") for it in (store, shards))
    return all(np.array_equal(a.odds, b.odds) for a, b in zip(there, here, strict=True))


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=80), reach=st.integers(1, 30), seed=st.integers(0, 9),
    by_lot=st.booleans(),
)  # fmt: skip
def test_every_example_is_in_one_batch_and_a_batch_is_near(lengths, reach, seed, by_lot):
    shards = [f"train-{at // 9:06d}.tar" for at in range(len(lengths))]

    def made() -> list[list[int]]:
        rng = np.random.default_rng(seed) if by_lot else None
        return in_reach(lengths, shards, 100, rng, reach)

    groups = made()
    assert sorted(chain(*groups)) == [*range(len(lengths))] and groups == made()
    assert all(len(it) == 1 or max(lengths[at] for at in it) * len(it) <= 100 for it in groups)
    if not by_lot and len(lengths) > reach:
        assert all(max(it) - min(it) < reach for it in groups)


def test_a_run_goes_on_only_with_the_shards_that_it_began_with(labelled, tmp_path):
    store, shards = labelled
    shutil.copytree(store, tmp_path / "films")
    films = Store(tmp_path / "films")
    before = {it: plan("tiny", it, examples=P).recipe["data"]["contents"] for it in (store, shards)}
    assert {it: plan("tiny", it, examples=P).recipe["data"]["contents"] for it in (store, shards)} == before
    save_labels(films[next(iter(films))], np.ones(30, np.int8))
    params = ShardParams(film=False, shard_clips=3)
    [*pack(films.root, tmp_path / "shards", "webdataset", params=params).carry_out()]
    assert plan("tiny", tmp_path / "shards", examples=P).recipe["data"]["contents"] != before[shards]


def test_processes_load_the_same(labelled):
    batches = batches_of(material_of(labelled[1], P), "training", 1, P, AugmentParams(), 0, batch_of)
    there = [batches[number] for number in range(len(batches))]
    here = [*ahead(batches, 1, 1, processes=1)]
    assert len(there) - 1 == len(here) > 1
    for a, b in zip(there[1:], here, strict=True):
        assert torch.equal(a.faces, b.faces) and torch.equal(a.mfcc, b.mfcc) and torch.equal(a.labels, b.labels)


def test_the_command_says_how_much_there_is_in_shards(labelled, tmp_path, capsys):
    assert main(["train", "asd", str(labelled[1]), "--to", str(tmp_path / "run"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "lr-asd, asd faces" in said and "training   6 examples of 6 recordings, 3 speakers" in said


def test_clips_without_faces_are_told_how_to_get_some(tmp_path):
    store = talkers(tmp_path / "films", {"training/ana/talk": 30})
    (stored,) = map(store.__getitem__, store)
    stored.forget("face_crops")
    (_,) = pack(store.root, tmp_path / "shards", "webdataset", params=ShardParams(film=False)).carry_out()
    with pytest.raises(UsageError, match=r"none of the 1 clips .* `phonoscope run face_crops STORE`"):
        material_of(tmp_path / "shards", P)


def test_faces_that_are_cut_in_two_ways_or_for_others_are_refused(labelled):
    _, shards = labelled
    places = places_in(shards)
    other = replace(places[0], files=("face_crops.tight.npy", "wav"))
    with pytest.raises(UsageError, match="cut by asd and tight"):
        ShardSource(shards, [*places[1:], other])
    with pytest.raises(UsageError, match="give a store with labels"):
        material_of(shards, P, "ava-asd")
