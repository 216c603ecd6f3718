"""The account of a store: failures stand until they are mended, and the index can be thrown away."""

from fractions import Fraction

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phonoscope.core.media import Recording
from phonoscope.store.codecs import write_recording
from phonoscope.store.folder import Store
from phonoscope.store.ledger import (
    Failure,
    Known,
    add_failure,
    known_sources,
    read_failures,
    settle_failures,
    write_index,
)
from phonoscope.store.receipts import Receipt, write_receipts

FILM = "file:///nowhere/film.mp4"
RECORDING = Recording("film-00000000", FILM, "0" * 64, Fraction(25), 50, 64, 48, 16000, 32000, Fraction(0))


def failure(source=FILM, step="ingest", reason="missing"):
    return Failure(source=source, recording="", step=step, reason=reason, message="m")


@pytest.fixture
def store(tmp_path):
    """A store of one recording, with an index."""
    store = Store.create(tmp_path / "films")
    folder = store.root / "recordings" / RECORDING.id
    folder.mkdir()
    write_recording(folder / "recording.json", RECORDING)
    seen = Receipt(key="k", step="ingest", version=1, params={"bytes": 7, "mtime_ns": 9})
    write_receipts(folder, {"recording": seen})
    write_index(store)
    return store


def no_index(path):
    path.unlink()


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-20])


def of_another(path):
    pq.write_table(pa.table({"source": [1], "id": ["a"]}), path)


def spoilt(path):
    whole = path.read_bytes()
    path.write_bytes(b"PAR1" + bytes(len(whole) - 12) + whole[-8:])


def empty(path):
    path.write_bytes(b"")


def junk(path):
    path.write_text("junk")


@pytest.mark.parametrize("spoil", [no_index, empty, junk, cut_off, spoilt, of_another])
def test_an_index_that_is_spoilt_is_made_anew(store, spoil):
    path = store.root / "index.parquet"
    whole = path.read_bytes()
    spoil(path)
    assert known_sources(store) == {FILM: Known(RECORDING.id, 7, 9)}
    assert path.read_bytes() == whole


def test_failures_in_two_steps_stand_side_by_side(tmp_path):
    first, again, other = failure(step="asd", reason="crashed"), failure(step="asd"), failure(step="vad")
    for it in (first, again, other):
        add_failure(tmp_path, it)
    settle_failures(tmp_path, [])
    assert read_failures(tmp_path) == [again, other]


def test_only_failures_in_the_steps_that_were_come_through_are_struck_out(tmp_path):
    for step in ("shots+faces", "asd", "vad"):
        add_failure(tmp_path, failure(step=step))
    settle_failures(tmp_path, [FILM], steps={"ingest", "faces", "vad"})
    assert [it.step for it in read_failures(tmp_path)] == ["asd"]


def test_failures_of_films_that_are_gone_go_with_the_next_job_that_does_not_ask_for_them(tmp_path):
    there = tmp_path / "there.mp4"
    there.write_text("no film")
    kept = [failure(there.as_uri(), reason="unreadable"), failure("https://a.org/b.mp4", reason="unsupported-scheme")]
    for it in (failure(), *kept):
        add_failure(tmp_path, it)
    settle_failures(tmp_path, [], asked=[FILM])
    assert {it.source for it in read_failures(tmp_path)} == {FILM, *(it.source for it in kept)}
    settle_failures(tmp_path, [], asked=[])
    assert {it.source for it in read_failures(tmp_path)} == {it.source for it in kept}
