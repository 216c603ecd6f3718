"""What a corpus has given of a recording is kept as it is, and what only it would need is not made."""

from dataclasses import replace
from pathlib import Path

import pytest

from phonoscope.core.clips import Listed
from phonoscope.core.faces import Tracks
from phonoscope.job import DEFAULT, Params, work_on
from phonoscope.models.registry import PREFERRED
from phonoscope.store.folder import Store, StoreSettings
from phonoscope.store.receipts import BY_CORPUS, Receipt
from phonoscope.testing.quick import quick_job


@pytest.fixture
def job(puppets: Path, tmp_path: Path):
    return quick_job([puppets], tmp_path / "store")


def given(job) -> Store:
    """A store whose only recording has tracks by a corpus, half as long as ours, and nothing else."""
    ingested = replace(job, work=replace(job.work, steps=()))
    assert [outcome.failure for outcome in ingested.carry_out()] == [None]
    stored = job.store[next(iter(job.store))]
    made = Receipt(key="0123456789abcdef", step=BY_CORPUS, version=1)
    stored.save("tracks", Tracks(), made)
    return job.store


def test_a_corpus_s_tracks_are_kept_and_their_makers_are_not_run(job):
    store = given(job)
    (outcome,) = job.carry_out()
    assert outcome.failure is None
    assert not {"tracks", "faces", "shots"} & {*outcome.made, *outcome.kept}
    stored = store[outcome.recording]
    assert len(stored.load("tracks")) == 0 and len(stored.load("asd").track) == 0
    assert stored.receipts["asd"].inputs["tracks"] == "0123456789abcdef"
    assert stored.stale == {}


def test_what_is_asked_for_by_name_is_made_though_nothing_needs_it(job):
    store = given(job)
    named = replace(job, work=replace(job.work, named=frozenset({"shots"})))
    (outcome,) = named.carry_out()
    assert outcome.failure is None and "shots" in outcome.made and "faces" not in outcome.made
    stored = store[outcome.recording]
    assert stored.receipts["tracks"].step == BY_CORPUS and stored.stale == {}
    assert "faces" in replace(job, work=replace(job.work, named=frozenset({"faces"}))).due()


@pytest.mark.parametrize(
    ("names", "named"),
    [(DEFAULT, set()), ((*DEFAULT, "shots", "pose"), {"shots", "pose"}), (("shots", "asd"), {"shots", "asd"})],
)
def test_what_there_is_by_default_is_not_asked_for_by_name(tmp_path, names, named):
    work, _ = work_on(tmp_path, names, Params(), StoreSettings(), first)
    assert work.named == named


def first(kind: str, name: str) -> str:
    return PREFERRED[kind][0] if name == "auto" else name


def test_other_tracks_by_a_corpus_make_what_follows_them_anew(job):
    store = given(job)
    list(job.carry_out())
    stored = store[next(iter(store))]
    stored.save("tracks", Tracks(), Receipt(key="fedcba9876543210", step=BY_CORPUS, version=1))
    assert "asd" in stored.stale
    (outcome,) = job.carry_out()
    assert "asd" in outcome.made and "vad" in outcome.kept


def test_how_a_corpus_lists_a_recording_is_told_again(job):
    stored = given(job)[next(iter(job.store))]
    assert stored.listed is None
    listed = Listed("vlogs", "training/ana/a talk.mp4", "ana", "training")
    stored.list_as(listed)
    assert stored.listed == listed == Store(job.store.root)[stored.folder.name].listed
