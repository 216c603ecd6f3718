import fsspec
import pytest

from phonoscope.core.errors import RecordingFailed, UsageError
from phonoscope.store import bucket as buckets
from phonoscope.store.bucket import TRIES, bucket_at
from phonoscope.store.driver import NEW, Conflict
from phonoscope.store.folder import Store
from phonoscope.testing.buckets import Trouble


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(buckets, "FIRST_WAIT_S", 0.001)


@pytest.fixture(params=["s3", "memory"])
def anywhere(request, tmp_path):
    """An empty place in a bucket of each kind."""
    return bucket_at(request.getfixturevalue("bucket") if request.param == "s3" else f"memory://{tmp_path.name}")


def test_an_object_is_written_only_over_what_was_seen(anywhere):
    first = anywhere.put("a/files.json", b"one", NEW)
    for seen in (NEW, '"somebody else\'s"'):
        with pytest.raises(Conflict):
            anywhere.put("a/files.json", b"two", seen)
    second = anywhere.put("a/files.json", b"three", first)
    assert anywhere.get("a/files.json") == (b"three", second)
    with pytest.raises(Conflict):
        anywhere.put("a/files.json", b"four", first)
    with pytest.raises(Conflict):
        anywhere.put("a/never.json", b"five", second)


def test_files_come_back_as_they_went_and_what_is_not_there_is_told(anywhere, tmp_path):
    (tmp_path / "there").write_bytes(bytes(range(256)) * 999)
    anywhere.upload("a/b c", tmp_path / "there")
    assert anywhere.download("a/b c", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "there").read_bytes()
    assert (about := anywhere.about("a/b c")) and about.size == 256 * 999
    assert anywhere.get("a") is None
    assert anywhere.about("a/d") is None
    assert not anywhere.download("a/d", tmp_path / "not")


def test_removing_is_done_when_nothing_is_left_however_often(anywhere):
    for name in ("a/1", "a/2", "ab"):
        anywhere.put(name, b"")
    assert anywhere.below("a") == ["a/1", "a/2"]
    for _ in range(2):
        anywhere.delete(["a/1", "a/2"])
        assert anywhere.below() == ["ab"]


@pytest.mark.parametrize("kind", ["500", "503", "hang", "slow", "broken", "lost"])
def test_what_goes_wrong_once_on_the_way_is_tried_again(s3, bucket, kind, tmp_path):
    place = bucket_at(bucket)
    place.put("film", content := bytes(range(256)) * 400)
    for read in (lambda: place.get("film"), lambda: place.download("film", tmp_path / "film")):
        s3.troubles = [Trouble(kind, "film")]
        assert read()
    assert (tmp_path / "film").read_bytes() == content


def test_a_write_whose_answer_is_lost_is_a_conflict_and_no_second_writer(s3, bucket):
    place = bucket_at(bucket)
    s3.troubles = [Trouble("lost", "files.json", "PUT")]
    with pytest.raises(Conflict):
        place.put("files.json", b"ours", NEW)
    found = place.get("files.json")
    assert found
    assert found[0] == b"ours"


def test_what_never_goes_well_is_told_in_one_line(s3, bucket):
    place = bucket_at(bucket)
    s3.troubles = [Trouble("503", "film", times=TRIES)]
    with pytest.raises(RecordingFailed, match=rf"film could not be read: .*tried {TRIES} times") as error:
        place.get("film")
    assert error.value.reason == "storage"
    assert "\n" not in str(error.value)


def test_no_bucket_and_no_store_are_told(bucket):
    with pytest.raises(RecordingFailed, match="bucket does not exist"):
        bucket_at("s3://nobody-has-this/films").put("a", b"", NEW)
    with pytest.raises(UsageError, match=f"no store at '{bucket}'"):
        Store(bucket)
    with pytest.raises(UsageError, match="'nowhere:' cannot be read"):
        Store("nowhere://films")


def test_a_missing_extra_is_one_line_that_names_the_command(monkeypatch):
    def missing(scheme):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(UsageError, match=r"^'s3:' cannot be read without more: pip install 'phonoscope\[s3\]'$"):
        bucket_at("s3://without-the-extra/films")
