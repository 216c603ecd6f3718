"""The main job: everything is made once, kept while it is fresh, and the same wherever it is made."""

import hashlib
import shutil
from dataclasses import replace

import numpy as np
import pytest

from phonoscope.core.errors import MissingWeights
from phonoscope.core.time import Span
from phonoscope.flow.executors import executor
from phonoscope.job import DEFAULT, Params, prepare, run
from phonoscope.store.folder import Store
from phonoscope.store.ledger import read_failures
from phonoscope.testing.quick import fingerprint

ALL = (*DEFAULT, "crop_video")


def carry_out(films, to, names=DEFAULT, params=None, jobs=1):
    return list(prepare(films, to, names, params).carry_out(jobs))


@pytest.fixture(scope="module")
def store(puppets, silent_puppet, tmp_path_factory) -> Store:
    root = tmp_path_factory.mktemp("store") / "films"
    (both,) = {o.failure for o in carry_out([puppets, silent_puppet], root, ALL)}
    assert both is None
    return Store(root)


def test_everything_promised_is_there(store):
    folder = store["two-puppets"].folder
    for name in (
        "recording.json", "clock.parquet", "audio.flac", "shots.csv", "faces.parquet", "tracks.parquet",
        "crops.parquet", "mfcc.npy", "mfcc.json", "vad.npy", "asd.parquet", "receipts.json", "crops/0.mp4",
        "thumbs/0.jpg",
    ):  # fmt: skip
        assert (folder / name).stat().st_size > 0, name
    for name in ("store.json", "index.parquet", "errors.jsonl"):
        assert (store.root / name).exists(), name
    assert not [p for p in store.root.rglob(".*") if "part" in p.name]


def test_two_drawn_people_are_followed_from_the_first_frame_to_the_last(store):
    recording = store["two-puppets"]
    tracks = recording.load("tracks")
    assert [track.span for track in tracks] == [Span(0, 100), Span(0, 100)]
    scores = recording.load("asd")
    assert len(scores.track) == 200 and np.isfinite(scores.columns["score"]).all()
    assert recording.load("mfcc").values.shape == (400, 13)
    assert recording.load("vad").values.shape == (400,)


def test_a_second_run_makes_nothing_and_touches_nothing(store, puppets, silent_puppet):
    before = {p: p.stat().st_mtime_ns for p in (store.root / "recordings").rglob("*") if p.is_file()}
    outcomes = carry_out([puppets, silent_puppet], store.root, ALL)
    assert all(not o.made and not o.failure for o in outcomes)
    assert before == {p: p.stat().st_mtime_ns for p in (store.root / "recordings").rglob("*") if p.is_file()}


def test_what_is_due_is_told_before_the_work(store, puppets, tmp_path):
    assert prepare([puppets], store.root).due() == set()
    later = replace(Params(), crops=replace(Params().crops, size=100))
    assert prepare([puppets], store.root, params=later).due() == {"crops"} == run(["crops"], store, later).due()
    assert prepare([puppets, tmp_path / "new.mp4"], store.root, ["crops"]).due() >= {"faces", "tracks", "crops"}


def test_changing_one_setting_remakes_only_what_follows_it(store, puppets, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(store.root, root)
    other = replace(Params(), tracks=replace(Params().tracks, min_size=21))
    (outcome,) = carry_out([puppets], root, ALL, other)
    assert set(outcome.made) == {"tracks", "crops", "asd", "thumbs", "crop_video"}
    assert {"shots", "faces", "mfcc", "vad"} == set(outcome.kept)


def test_what_was_lost_is_made_again_and_nothing_else(store, puppets, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(store.root, root)
    before = fingerprint(root)
    (Store(root)["two-puppets"].folder / "faces.parquet").unlink()
    (outcome,) = carry_out([puppets], root, ALL)
    assert outcome.made == ("faces",)
    assert fingerprint(root) == before


def test_processes_give_the_same_bytes_as_here(store, puppets, silent_puppet, tmp_path):
    outcomes = carry_out([puppets, silent_puppet], tmp_path / "films", ALL, jobs=2)
    assert not [o.failure for o in outcomes if o.failure]
    assert fingerprint(tmp_path / "films") == fingerprint(store.root)


def test_film_without_sound_goes_through_without_what_needs_sound(store):
    recording = store["silent"]
    assert recording.recording.num_samples == 0 and "no sound" in recording.recording.notes
    assert {"tracks", "crops", "thumbs", "crop_video"} <= set(recording.receipts)
    assert not {"audio", "mfcc", "vad", "asd"} & set(recording.receipts)
    (outcome,) = run(DEFAULT, store, only=["silent"]).carry_out()
    assert outcome.skipped == {"mfcc": "no-audio", "vad": "no-audio", "asd": "no-audio"}


def test_a_bad_film_fails_alone_and_its_failure_stands_until_it_is_mended(puppets, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("this is no film")
    root = tmp_path / "films"
    outcomes = carry_out([bad, puppets], root, ["shots"])
    assert [bool(o.failure) for o in outcomes] == [True, False]
    (failure,) = read_failures(root)
    assert (failure.reason, failure.source) == ("unreadable", bad.as_uri()) and "\n" not in failure.message
    assert bad.read_text() == "this is no film"
    shutil.copyfile(puppets, bad)
    assert not carry_out([bad], root, ["shots"])[0].failure
    assert read_failures(root) == []


def test_a_model_that_does_not_load_is_a_failure_of_the_step_that_wants_it(silent_puppet, tmp_path):
    def load_backend(name, threads):
        raise MissingWeights(f"no weights for '{name}'")

    job = prepare([silent_puppet], tmp_path / "films", ["faces"])
    (outcome,) = replace(job, work=replace(job.work, load_backend=load_backend)).carry_out()
    assert outcome.failure and outcome.failure.step == "faces"
    assert outcome.failure.message.startswith("no weights for ")


def test_a_film_that_moved_is_followed_and_not_made_again(puppets, tmp_path):
    film = tmp_path / "film.mp4"
    shutil.copyfile(puppets, film)
    carry_out([film], tmp_path / "films", ["shots"])
    (tmp_path / "elsewhere").mkdir()
    moved = film.rename(tmp_path / "elsewhere" / "film.mp4")
    (outcome,) = carry_out([moved], tmp_path / "films", ["shots"])
    assert not outcome.made and len(Store(tmp_path / "films")) == 1
    assert Store(tmp_path / "films")["film"].frames(Span(0, 1)).shape == (1, 360, 640, 3)


def test_another_film_under_the_old_name_is_not_taken_for_the_old_one(puppets, silent_puppet, tmp_path):
    film = tmp_path / "film.mp4"
    shutil.copyfile(puppets, film)
    carry_out([film], tmp_path / "films", ["shots"])
    shutil.copyfile(silent_puppet, film)
    (outcome,) = run(["tracks"], tmp_path / "films").carry_out()
    assert outcome.failure.reason == "changed" and "prepare it anew" in outcome.failure.message
    assert not carry_out([film], tmp_path / "films", ["shots"])[0].failure
    assert len(Store(tmp_path / "films")) == 2


def test_the_film_itself_is_only_read(puppets, tmp_path):
    film = tmp_path / "film.mp4"
    shutil.copyfile(puppets, film)
    film.chmod(0o444)
    before = (film.stat().st_mtime_ns, hashlib.sha256(film.read_bytes()).hexdigest())
    carry_out([film], tmp_path / "films", ALL)
    assert before == (film.stat().st_mtime_ns, hashlib.sha256(film.read_bytes()).hexdigest())


def test_fewer_than_one_job_is_refused():
    with pytest.raises(ValueError, match="at least one job"):
        executor(0)
