"""A store is whole at every moment, and says plainly what is wrong."""

from fractions import Fraction

import pytest

from phonoscope.core.errors import UsageError
from phonoscope.store.files import whole_file
from phonoscope.store.folder import Store, StoreSettings
from phonoscope.store.ledger import Failure, add_failure, read_failures, settle_failures
from phonoscope.store.receipts import Receipt, read_receipts, write_receipts
from phonoscope.store.uri import as_uri, local_path


def failure(source, reason="unreadable"):
    return Failure(source=source, recording="", step="ingest", reason=reason, message="m")


def test_there_is_no_store_where_none_was_made(tmp_path):
    with pytest.raises(UsageError, match="no store at"):
        Store(tmp_path)


def test_a_store_is_not_made_among_other_things(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UsageError, match="other things"):
        Store.create(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_store_keeps_its_clock(tmp_path):
    Store.create(tmp_path / "s", StoreSettings(fps=Fraction(30000, 1001)))
    assert Store(tmp_path / "s").settings.fps == Fraction(30000, 1001)
    with pytest.raises(UsageError, match="30000/1001 frames"):
        Store.create(tmp_path / "s", StoreSettings())


def test_a_store_of_a_newer_phonoscope_is_left_alone(tmp_path):
    Store.create(tmp_path / "s")
    (tmp_path / "s" / "store.json").write_text('{"format": 99, "fps": "25"}')
    with pytest.raises(UsageError, match="format 99"):
        Store(tmp_path / "s")


@pytest.mark.parametrize(
    "text", ["", '{"format": 1, "fps', "junk", "[]", "\xff", '{"fps": "1/0"}', '{"fps": "fast"}', '{"format": "x"}']
)
def test_damaged_settings_are_answered_in_one_line(tmp_path, text):
    Store.create(tmp_path / "s")
    (tmp_path / "s" / "store.json").write_bytes(text.encode("latin-1"))
    for call in (Store, Store.create):
        with pytest.raises(UsageError, match=r"s/store\.json' is damaged .*: write \{.*\} into it") as said:
            call(tmp_path / "s")
        assert "\n" not in str(said.value)
    (tmp_path / "s" / "store.json").write_text('{"fps": "25", "sample_rate": 16000}')
    assert Store(tmp_path / "s").settings == StoreSettings()


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as part:
        part.write_text("ne")
        raise RuntimeError
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.json"]
    with whole_file(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_receipts_come_back(tmp_path):
    receipts = {
        "a": Receipt(key="k", step="a", version=2, params={"x": 1.5}, inputs={"b": "q"}, card="m@1", warnings=("w",))
    }
    write_receipts(tmp_path, receipts)
    assert read_receipts(tmp_path) == receipts


def test_failures_stand_until_their_film_comes_through(tmp_path):
    for it in (failure("file:///a"), failure("file:///b"), failure("file:///b", "truncated")):
        add_failure(tmp_path, it)
    settle_failures(tmp_path, ["file:///a"])
    assert read_failures(tmp_path) == [failure("file:///b", "truncated")]


def test_a_failure_written_half_by_a_killed_process_is_passed_over(tmp_path):
    add_failure(tmp_path, failure("file:///a"))
    with (tmp_path / "errors.jsonl").open("a") as file:
        file.write('{"source": "file:///b", "rec')
    assert [f.source for f in read_failures(tmp_path)] == ["file:///a"]


def test_a_path_survives_as_a_uri(tmp_path):
    path = tmp_path / "a b'ü#%.mp4"
    path.write_text("")
    assert local_path(as_uri(str(path))) == path
