"""The main job on a store in a bucket: as on a folder, without a listing, and from films that lie in a bucket too."""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from phonoscope.flow.run import Outcome
from phonoscope.store.bucket import bucket_at
from phonoscope.store.folder import Store
from phonoscope.store.uri import local_path
from phonoscope.testing.buckets import Trouble
from phonoscope.testing.puppet import cuts_and_fades, film
from phonoscope.testing.quick import fingerprint, quick_job


@pytest.fixture(scope="module")
def in_a_folder(puppets, tmp_path_factory) -> Path:
    """The store that a folder becomes."""
    root = tmp_path_factory.mktemp("stores") / "films"
    assert not any(it.failure for it in quick_job([puppets], root).carry_out())
    return root


def whole(uri: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mirror of a store on a machine that has fetched all of it."""
    monkeypatch.setenv("PHONOSCOPE_HOME", str(home))
    store = Store(uri)
    for id in store:
        assert [*store[id].fresh.values()]
    return store.root


def test_a_bucket_holds_the_bytes_that_a_folder_would(in_a_folder, puppets, bucket, s3, tmp_path, monkeypatch):
    assert not any(it.failure for it in quick_job([puppets], bucket).carry_out(2))
    assert fingerprint(whole(bucket, tmp_path / "other", monkeypatch)) == fingerprint(in_a_folder)
    (tmp_path / "copy").mkdir()
    s3.counts.clear()
    (outcome,) = quick_job([puppets], bucket).carry_out()
    assert outcome.made == ()
    assert s3.counts.keys() == {"GET"}  # nothing is written, and nothing is listed


def test_a_job_comes_through_a_bad_day_of_the_bucket(in_a_folder, puppets, bucket, s3, tmp_path, monkeypatch):
    s3.troubles = [
        Trouble("500", "store.json"), Trouble("503", "files.json"), Trouble("lost", "files.json", "PUT"),
        Trouble("500", ".parquet", "PUT", 3), Trouble("lost", "index.parquet", "PUT"),
        Trouble("broken", "receipts.json"),
    ]  # fmt: skip
    assert not any(it.failure for it in quick_job([puppets], bucket).carry_out())
    assert fingerprint(whole(bucket, tmp_path / "other", monkeypatch)) == fingerprint(in_a_folder)


def test_a_film_in_a_bucket_is_the_film_it_is_on_disk(in_a_folder, puppets, bucket, s3, tmp_path):
    bucket_at(bucket).upload(f"films/{puppets.name}", puppets)
    film = f"{bucket}/films/{puppets.name}"
    s3.troubles = [Trouble("broken", ".mp4"), Trouble("500", ".mp4")]
    (outcome,) = quick_job([film], tmp_path / "films").carry_out()
    assert not outcome.failure
    assert [*Store(tmp_path / "films")] == [*Store(in_a_folder)]
    same, other = fingerprint(in_a_folder), fingerprint(tmp_path / "films")
    assert {it for it in same if same[it] != other[it]} == {
        f"recordings/{outcome.recording}/{name}" for name in ("recording.json", "receipts.json")
    }  # where it lies, and when it was written there
    s3.counts.clear()
    (again,) = quick_job([film], tmp_path / "films").carry_out()
    assert again.made == ()
    assert s3.counts == Counter(HEAD=1)


def test_a_film_that_has_changed_in_its_bucket_is_fetched_anew_and_its_copy_let_go(bucket, s3, tmp_path):
    place = bucket_at(bucket)
    for content in (b"one film", b"another"):
        place.put("talk.mp4", content)
        found = local_path(f"{bucket}/talk.mp4")
        assert found.read_bytes() == content
        assert found.name == "talk.mp4"
    assert len([*(tmp_path / "home" / "films").rglob("*.mp4")]) == 1
    (gone,) = quick_job([f"{bucket}/never.mp4"], tmp_path / "films").carry_out()
    assert gone.failure
    assert gone.failure.reason == "missing"


class InTurns:
    """Machines without a common disk, each of which takes the next item."""

    def __init__(self, homes: Sequence[Path], monkeypatch: pytest.MonkeyPatch) -> None:
        self.homes, self.patch, self.items = cycle(homes), monkeypatch, []

    def run(self, work: Any, sources: Iterable[str], on_progress: Any) -> Generator[Outcome, None, None]:
        for source in sources:
            self.patch.setenv("PHONOSCOPE_HOME", str(next(self.homes)))
            self.items.append(source)
            yield work(source, on_progress)


def test_machines_that_share_nothing_but_a_bucket_look_at_one_film_together(bucket, tmp_path, monkeypatch):
    cut = film(tmp_path / "cuts.mp4", cuts_and_fades())
    (alone,) = quick_job([cut], tmp_path / "films").carry_out()
    machines = InTurns([tmp_path / "one", tmp_path / "two"], monkeypatch)
    job = quick_job([cut], bucket)
    (outcome,) = job.carry_out(2, unit_minutes=alone.film_s / 60 / 4, doing=machines)
    assert not outcome.failure
    assert fingerprint(whole(bucket, tmp_path / "other", monkeypatch)) == fingerprint(tmp_path / "films")
    assert sum("#" in item for item in machines.items) > 3  # units
    assert not [name for name in bucket_at(bucket).below("recordings") if "/units/" in name]
