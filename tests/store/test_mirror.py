"""A store in a bucket, seen from two machines: nothing is lost, nothing half is taken for whole, nothing is listed."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.errors import RecordingFailed, UsageError
from phonoscope.core.media import Recording
from phonoscope.core.series import Series
from phonoscope.corpora.avspeech import rows_of, write_rows
from phonoscope.corpora.avspeech_rows import Row
from phonoscope.store import bucket as buckets
from phonoscope.store.codecs import write_recording
from phonoscope.store.folder import Store
from phonoscope.store.forgotten import forget, forgotten, meant
from phonoscope.store.ledger import Failure, add_failure, read_failures, write_index
from phonoscope.store.receipts import Receipt, write_receipts
from phonoscope.testing.buckets import Trouble

ID = "talk-00000000"
OF_FILM = Receipt(key="film", step="ingest", version=1)


@pytest.fixture
def machine(bucket, tmp_path, monkeypatch):
    """Gives the store as a machine sees it, by the machine's name: each has a folder of its own for what it fetched."""
    monkeypatch.setattr(buckets, "FIRST_WAIT_S", 0.001)

    def of(name: str) -> Store:
        monkeypatch.setenv("PHONOSCOPE_HOME", str(tmp_path / name))
        return Store.create(bucket)

    return of


def take_in(store: Store, id: str = ID) -> None:
    """What ingest does, but for the film."""
    film = ("file:///talk.mp4", "0" * 64, Fraction(25), 50, 64, 48, 0, 0, Fraction(0))
    with store.hold(id):
        folder = store.root / "recordings" / id
        folder.mkdir(exist_ok=True)
        write_recording(folder / "recording.json", Recording(id, *film))
        write_receipts(folder, {"recording": OF_FILM})


def save(store: Store, name: str, number: int) -> None:
    """Make an artifact by the recipe of that number; somebody holds the recording."""
    series = Series(np.full(50, number, np.float32), Fraction(25), Fraction(0))
    store.at(ID).save(name, series, Receipt(key=str(number), step=name, version=1))


def make(store: Store, name: str, number: int) -> None:
    with store.hold(ID):
        save(store, name, number)


def made(store: Store) -> dict[str, int]:
    """Which artifacts a store has, and by which recipe; that they are what their receipts say is seen to here."""
    stored = Store(store.uri)[ID]
    found = {name: int(stored.load(name).values[0]) for name in stored.fresh if name != "recording"}
    assert found == {name: int(receipt.key) for name, receipt in stored.receipts.items() if name != "recording"}
    return found


def test_what_one_machine_has_made_the_others_see(machine):
    here = machine("here")
    take_in(here)
    make(here, "vad", 1)
    there = machine("there")
    assert made(there) == {"vad": 1}
    make(there, "vad", 2)
    make(there, "mfcc", 3)
    assert made(machine("here")) == {"vad": 2, "mfcc": 3}
    assert not [*there.root.rglob("*.part")]


def test_what_a_corpus_has_told_is_there_as_well(machine):
    here, row = machine("here"), Row(row=7, video="x", start_s=0, stop_s=1, x=0.5, y=0.5)
    take_in(here)
    with here.hold(ID):
        write_rows(here.at(ID), [row])
    assert rows_of(machine("there")[ID]) == (row,)


def test_telling_what_there_is_fetches_none_of_it(machine, s3):
    here = machine("here")
    take_in(here)
    make(here, "vad", 1)
    stored = machine("there")[ID]
    assert stored.fresh.keys() == {"recording", "vad"}
    assert sorted(it.name for it in stored.folder.iterdir()) == ["receipts.json", "recording.json"]
    s3.counts.clear()
    assert stored.path("vad") == stored.folder / "vad.npy"
    assert s3.counts == {"GET": 2}  # values and clock
    _ = stored.load("vad"), stored.places["vad"]
    assert s3.counts == {"GET": 2}


def test_of_two_machines_at_one_recording_neither_loses_what_it_made(machine):
    here, there = machine("here"), machine("there")
    take_in(here)
    make(here, "both", 0)
    with here.hold(ID), there.hold(ID):
        save(there, "theirs", 1)
        save(there, "both", 1)
        save(here, "ours", 2)
        save(here, "both", 2)
    assert made(here) == made(machine("third")) == {"theirs": 1, "ours": 2, "both": 1}  # there was first


def test_a_folder_made_anew_has_nothing_of_what_it_was(machine):
    def make_films(store, *names):
        with store.hold(ID):
            stored = store.at(ID)
            with stored.part_folder("crop_video") as part:
                for name in names:
                    (part / name).write_text(name)
                stored.save("crop_video", part, Receipt(key=str(len(names)), step="crop_video", version=1))

    here = machine("here")
    take_in(here)
    for names in (("0.mp4", "1.mp4", "2.mp4"), ("0.mp4", "2.mp4"), ()):
        make_films(machine("there"), *names)
        place = machine("here")[ID].path("crop_video")
        assert place
        assert sorted(it.name for it in place.iterdir()) == [*names]


def test_what_a_killed_worker_has_made_is_published_by_the_next_one_there(machine, bucket, tmp_path):
    take_in(machine("here"))
    killed_at_files_json(bucket, tmp_path / "here", "vad", 1)
    assert made(machine("there")) == {}
    make(machine("here"), "mfcc", 2)
    assert made(machine("there")) == {"vad": 1, "mfcc": 2}


def test_what_a_killed_worker_has_made_gives_way_to_what_others_have_made_since(machine, bucket, tmp_path):
    take_in(machine("here"))
    killed_at_files_json(bucket, tmp_path / "here", "vad", 1)
    make(machine("there"), "vad", 2)
    make(machine("here"), "mfcc", 3)
    assert made(machine("third")) == {"vad": 2, "mfcc": 3} == made(machine("here"))


def test_a_reader_beside_a_killed_worker_sees_what_others_have_made_since(machine, bucket, tmp_path):
    take_in(machine("here"))
    killed_at_files_json(bucket, tmp_path / "here", "vad", 1)
    assert made(machine("here")) == {"vad": 1}  # what waits here, while the bucket has nothing else
    make(machine("there"), "vad", 2)
    assert made(machine("here")) == {"vad": 2}
    forget(machine("there"), ID)
    write_index(machine("there"))
    assert [*machine("here")] == [] and not (machine("here").root / "recordings" / ID).exists()


def test_several_processes_may_open_a_bucket_first(bucket, tmp_path):
    code = "import sys; from phonoscope.store.folder import Store; Store.create(sys.argv[1])"
    home = {**os.environ, "PHONOSCOPE_HOME": str(tmp_path / "fresh")}
    first = [subprocess.Popen([sys.executable, "-c", code, bucket], env=home) for _ in range(4)]
    assert [it.wait() for it in first] == [0] * 4


def test_a_reader_that_comes_between_two_commits_sees_one_of_them(machine, s3):
    here, commits = machine("here"), [1, 2]
    take_in(here)
    make(here, "vad", 0)
    there = machine("there")

    def first(method, path):  # another machine has just swept what `files.json` named when it was read
        if method == "GET" and path.endswith("receipts.json") and commits:
            s3.before = lambda method, path: None
            make(here, "vad", commits.pop(0))

    s3.before = first
    assert there[ID].receipts["vad"].key == "1"


def test_a_row_of_the_index_without_a_recording_stops_nobody(machine, bucket):
    here = machine("here")
    take_in(here)
    write_index(here)
    names = buckets.bucket_at(bucket).below("recordings")
    buckets.bucket_at(bucket).delete(names)
    there = machine("there")
    with pytest.raises(UsageError, match="talk-00000000"):
        there[ID]
    with pytest.raises(UsageError, match=r"nothing in .* is or comes from 'x'"):
        meant(there, "x")


def killed_at_files_json(bucket: str, home: Path, name: str, number: int) -> None:
    """A process that makes an artifact, sends it, and is killed before it can say so."""
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
os.environ["PHONOSCOPE_HOME"] = {str(home)!r}
from phonoscope.store.bucket import Bucket
from phonoscope.store.folder import Store
import test_mirror
put = Bucket.put
def killed(self, name, *more):
    if name.endswith("files.json"):
        os.kill(os.getpid(), signal.SIGKILL)
    return put(self, name, *more)
Bucket.put = killed
test_mirror.make(Store({bucket!r}), {name!r}, {number})
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == -9


def test_a_reader_whose_object_is_gone_finds_what_has_come_instead(machine):
    here = machine("here")
    take_in(here)
    make(here, "vad", 1)
    there = machine("there")
    stored = there[ID]
    make(machine("here"), "vad", 2)
    assert int(stored.load("vad").values[0]) == 2


def test_an_object_that_was_lost_is_told_once_and_then_made_anew(machine, bucket):
    here = machine("here")
    take_in(here)
    make(here, "vad", 1)
    place = buckets.bucket_at(bucket)
    place.delete(name for name in place.below() if name.endswith("vad.npy"))
    there = machine("there")
    with pytest.raises(RecordingFailed, match=r"vad\.npy is no longer in"), there.hold(ID):
        there.at(ID).load("vad")
    assert "vad" not in machine("third")[ID].fresh
    make(there, "vad", 1)
    assert made(machine("fourth")) == {"vad": 1}


@pytest.mark.parametrize("kind", ["wrong", "broken", "500", "hang"])
def test_nothing_that_came_wrong_is_taken_for_what_was_made(machine, s3, kind):
    here = machine("here")
    take_in(here)
    make(here, "vad", 1)
    s3.troubles = [Trouble(kind, "vad.npy"), Trouble(kind, "receipts.json")]
    assert made(machine("there")) == {"vad": 1}


def test_what_comes_wrong_again_and_again_stops_the_recording_in_one_line(machine, s3):
    here = machine("here")
    take_in(here)
    make(here, "vad", 1)
    s3.troubles = [Trouble("wrong", "vad.npy", times=99)]
    stored = machine("there")[ID]
    with pytest.raises(RecordingFailed, match=r"sha256|checksum") as error:
        stored.load("vad")
    assert error.value.reason == "storage"
    assert not (stored.folder / "vad.npy").exists()


def test_what_cannot_be_published_waits_for_the_next_one(machine, s3):
    here = machine("here")
    take_in(here)
    s3.troubles = [Trouble("500", "files.json", "PUT", times=buckets.TRIES)]
    with pytest.raises(RecordingFailed, match="could not be written"):
        make(here, "vad", 1)
    assert made(machine("there")) == {}
    with machine("here").hold(ID):
        pass
    assert made(machine("there")) == {"vad": 1}


def test_a_commit_whose_answer_is_lost_is_one_commit(machine, s3):
    here = machine("here")
    take_in(here)
    s3.troubles = [Trouble("lost", "files.json", "PUT")]
    make(here, "vad", 1)
    assert made(machine("there")) == {"vad": 1}


def test_what_failed_half_way_keeps_what_it_has_made(machine):
    here = machine("here")
    take_in(here)
    with pytest.raises(ZeroDivisionError), here.hold(ID):
        save(here, "vad", 1)
        raise ZeroDivisionError
    assert made(machine("there")) == {"vad": 1}


def test_no_object_stays_that_nobody_names(machine, bucket):
    here = machine("here")
    take_in(here)
    for number in range(3):
        make(here, "vad", number)
    objects = [name.rpartition("/")[2] for name in buckets.bucket_at(bucket).below("recordings")]
    assert sorted(objects) == ["files.json", "receipts.json", "recording.json", "vad.json", "vad.npy"]


def test_all_of_a_forgotten_recording_goes_also_what_was_never_named(machine, bucket):
    here = machine("here")
    take_in(here)
    make(here, "vad", 1)
    write_index(here)
    place = buckets.bucket_at(bucket)
    place.put(f"recordings/{ID}/0123456789abcdef/vad.npy", b"left by somebody who was killed")
    there = machine("there")
    assert [*there] == [ID]
    forget(there, ID, "consent withdrawn")
    assert [*Store(bucket)] == [] == place.below("recordings")
    assert [it.recording for it in forgotten(machine("third").root)] == [ID]
    assert [*machine("here")] == []
    assert not (here.root / "recordings" / ID).exists()  # nor where it was made


def test_who_is_at_work_on_what_is_forgotten_does_not_bring_it_back(machine, bucket):
    here, there = machine("here"), machine("there")
    take_in(here)
    with pytest.raises(RecordingFailed, match="removed by another machine"), here.hold(ID):
        save(here, "vad", 1)
        forget(there, ID)
    assert buckets.bucket_at(bucket).below("recordings") == []


def test_failures_of_all_machines_stand_in_one_list(machine, s3):
    def fail(number):
        return Failure(source=f"file:///{number}", recording="", step="ingest", reason="missing", message="m")

    here, there = machine("here"), machine("there")
    add_failure(here.root, fail(0))
    late = iter([lambda: add_failure(there.root, fail(1))])

    def first(method, path):  # another machine is first, once we have read what there was
        if method == "PUT" and path.endswith("errors.jsonl") and (do := next(late, None)):
            do()

    s3.before = first
    try:
        add_failure(here.root, fail(2))
    finally:
        s3.before = lambda method, path: None
    assert [it.source[-1] for it in read_failures(there.root)] == ["0", "1", "2"]


def test_an_index_is_merged_and_only_without_one_is_the_bucket_listed(machine, bucket, s3):
    here, there = machine("here"), machine("there")
    take_in(here, "a-00000000")
    take_in(there, "b-00000000")
    for store in (here, there):
        write_index(store)
    s3.counts.clear()
    assert [*machine("third")] == ["a-00000000", "b-00000000"]
    take_in(here, "c-00000000")
    assert [*here] == ["a-00000000", "b-00000000", "c-00000000"]
    assert not s3.counts["LIST"]
    buckets.bucket_at(bucket).delete(["index.parquet"])
    assert [*machine("fourth")] == ["a-00000000", "b-00000000", "c-00000000"]
    assert 1 <= s3.counts["LIST"] <= 2  # who makes a list of a store asks how long it will be


def test_a_mirror_may_be_thrown_away(machine, tmp_path):
    import shutil

    here = machine("here")
    take_in(here)
    make(here, "vad", 1)
    shutil.rmtree(tmp_path / "here")
    here = machine("here")
    assert made(here) == {"vad": 1}
    shutil.rmtree(here.root / "recordings" / ID)
    assert made(here) == {"vad": 1}
