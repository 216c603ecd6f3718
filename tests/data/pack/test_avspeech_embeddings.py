"""Face embeddings as seed 000's trainer reads them: 75 rows a clip, none of them unknown, and a list of the files."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.data.face_embeddings import read_face_embeddings, write_face_embeddings
from phonoscope.data.mix_lists import example_of
from phonoscope.data.pack import AvspeechEmbeddingsParams, Packed, pack
from phonoscope.data.pack.avspeech_embeddings import ALL, FOLDER, WIDTH, read_ids
from phonoscope.store.recording import StoredRecording
from phonoscope.testing.known import save_embeddings
from phonoscope.testing.packs import rows_of, stamps, tree

FINITE = st.floats(-1e4, 1e4, width=32)
Lost = dict[int, slice]


def known(stored: StoredRecording, lost: Lost | None = None, width: int = WIDTH) -> dict[int, np.ndarray]:
    """Give a recording embeddings that say which track and frame they are of, NaN where the face is lost."""
    rows, missing = {}, {}
    for track in stored.load("tracks"):
        frame = np.arange(track.span.start, track.span.stop)
        rows[track.id] = np.repeat((frame + 1000 * track.id)[:, None], width, 1).astype(np.float32)
        missing[track.id] = np.zeros(len(track), bool)
        missing[track.id][(lost or {}).get(track.id, slice(0, 0))] = True
        rows[track.id][missing[track.id]] = np.nan
    save_embeddings(stored, rows, missing)
    return rows


def told(stored: StoredRecording, to: Path, frames: int = 20, max_missing: float = 0.0) -> Packed:
    params = AvspeechEmbeddingsParams(frames=frames, max_missing=max_missing)
    (told,) = pack(stored.folder.parents[1], to, "avspeech-embeddings", params=params).carry_out()
    return told


def numbered(stored: StoredRecording, path: str = "17.mp4") -> StoredRecording:
    stored.list_as(Listed(corpus="avspeech", path=path))
    return stored


@given(rows=st.tuples(st.integers(0, 5), st.integers(1, 4)).flatmap(lambda size: arrays("f4", size, elements=FINITE)))
def test_what_is_written_is_read_back_and_lies_there_as_the_seed_has_it(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "00017_face_emb.npy"
    write_face_embeddings(path, rows)
    lying = np.load(path, allow_pickle=False)
    assert (lying.shape, lying.dtype) == ((len(rows), 1, rows.shape[1]), np.float64)
    np.testing.assert_array_equal(read_face_embeddings(path), rows)


@pytest.mark.parametrize("wrong", [np.full((2, 3), np.nan), np.zeros(3), np.zeros((2, 1, 3))])
def test_what_is_unknown_or_no_rows_is_not_written(wrong, tmp_path):
    with pytest.raises(ValueError, match="expected finite rows"):
        write_face_embeddings(tmp_path / "a.npy", wrong)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("wrong", [np.zeros((75, 1792)), np.zeros((75, 2, 3)), np.zeros((75, 1, 3), int), None])
def test_a_file_that_holds_something_else_is_refused_in_a_line(wrong, tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(b"no array") if wrong is None else np.save(path, wrong)
    with pytest.raises(UsageError, match=r"must hold embeddings \(T, 1, D\)|cannot read the embeddings") as caught:
        read_face_embeddings(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_clip_of_each_face_is_its_first_frames_as_the_seed_writes_them(pair, tmp_path):
    rows = known(pair)
    done = told(numbered(pair), tmp_path / "out")
    assert done.failure is None and len(done.made) == 2 and done.notes == ()
    for track in pair.load("tracks"):
        lying = np.load(tmp_path / "out" / FOLDER / f"00017_{track.id}_face_emb.npy")
        assert (lying.shape, lying.dtype) == ((20, 1, WIDTH), np.float64)
        np.testing.assert_array_equal(lying[:, 0], rows[track.id][:20])
    assert (tmp_path / "out" / ALL).read_text() == "00017_0_face_emb.npy\n00017_1_face_emb.npy\n"
    assert {row["frames"] for row in rows_of(tmp_path / "out").values()} == {"20"}


@pytest.mark.parametrize(("path", "name"), [("17.mp4", "00017"), ("training/frame_17.mp4", "00017"), ("a1.mp4", None)])
def test_a_film_of_one_face_is_named_by_its_row_of_the_catalogue(pair, path, name, tmp_path):
    known(numbered(pair, path), {1: slice(None)})
    chosen = {"recording": [pair.recording.id], "track": [0], "start_frame": [2], "stop_frame": [28]}
    pq.write_table(pa.table(chosen), choice := tmp_path / "clips.parquet")
    (done,) = pack(
        pair.folder.parents[1], tmp_path / "out", "avspeech-embeddings", choice,
        params=AvspeechEmbeddingsParams(frames=0),
    ).carry_out()  # fmt: skip
    assert done.made == (f"{pair.recording.id}_0_2-28",)
    (file,) = (tmp_path / "out" / FOLDER).iterdir()
    assert file.name == f"{name or done.made[0]}_face_emb.npy"
    assert len(read_face_embeddings(file)) == 26


def ids(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["id,recording,track,start_frame,stop_frame,speaker,set,seen", *rows, ""]))
    return path


def test_the_pieces_of_mixtures_have_the_numbers_that_their_lists_name(pair, tmp_path):
    """Whatever the film is called, and however long they are."""
    rows, id, store = known(numbered(pair)), pair.recording.id, pair.folder.parents[1]
    table = ids(tmp_path / "ids.csv", f"3,{id},0,2,12,ana,training,1", f"11,{id},1,5,30,ben,training,1")
    p = AvspeechEmbeddingsParams(ids=table)
    (done,) = pack(store, tmp_path / "out", "avspeech-embeddings", params=p).carry_out()
    assert done.failure is None and len(done.made) == 2
    names = (tmp_path / "out" / ALL).read_text().split()
    assert names == [example for it in (3, 11) for example in example_of([it]).with_faces().faces]
    np.testing.assert_array_equal(read_face_embeddings(tmp_path / "out" / FOLDER / names[0]), rows[0][2:12])
    np.testing.assert_array_equal(read_face_embeddings(tmp_path / "out" / FOLDER / names[1]), rows[1])
    ids(table, f"3,{id},0,4,14,ana,training,1", "5,another-00000000,0,0,9,cleo,training,1")
    stray, done = pack(store, tmp_path / "out", "avspeech-embeddings", params=p).carry_out()
    assert stray.left_out == {"00005": "the store has no such recording"}
    assert done.made == (f"{id}_0_4-14",)
    np.testing.assert_array_equal(read_face_embeddings(tmp_path / "out" / FOLDER / names[0]), rows[0][4:14])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["3,a,0,0,9", "3,b,0,0,9"], "00003, or its piece, is in it twice"),
        (["3,a,0,0,9", "4,a,0,0,9"], "00004, or its piece, is in it twice"),
        (["x,a,0,0,9"], "invalid literal"),
        (None, "No such file"),
    ],
)
def test_a_table_of_ids_that_makes_no_sense_is_refused_in_a_line(rows, said, tmp_path):
    path = tmp_path / "ids.csv"
    if rows is not None:
        ids(path, *rows)
    with pytest.raises(UsageError, match=f"cannot read the ids in '{path}': .*{said}") as caught:
        read_ids(path)
    assert "\n" not in str(caught.value)
    path.write_text("number\n1\n")
    with pytest.raises(UsageError, match="it has no column 'id'"):
        read_ids(path)


def test_clips_with_frames_without_a_face_are_left_out_unless_so_many_may_be_missing(pair, tmp_path):
    rows = known(numbered(pair), {0: slice(3, 5), 1: slice(None)})
    done = told(pair, tmp_path / "out")
    assert done.made == () and [*done.left_out.values()] == ["no face in 2 of 20 frames", "no face in 20 of 20 frames"]
    done = told(pair, tmp_path / "out", max_missing=0.1)
    assert len(done.made) == 1 and len(done.left_out) == 1
    lying = read_face_embeddings(tmp_path / "out" / FOLDER / "00017_0_face_emb.npy")
    np.testing.assert_array_equal(lying[3:5], rows[0][[2, 2]])
    assert rows_of(tmp_path / "out")[done.made[0]]["missing"] == "2"
    assert not told(pair, tmp_path / "out").made
    assert (tmp_path / "out" / ALL).read_text() == ""  # what is left out now is taken away
    assert not [*(tmp_path / "out" / FOLDER).iterdir()]
    assert len(told(pair, tmp_path / "out", max_missing=1).made) == 1  # where nothing is known, nothing can be repeated


def test_the_same_again_does_nothing_and_what_changed_is_made(pair, tmp_path):
    known(numbered(pair))
    assert len(told(pair, tmp_path / "out").made) == 2
    before = stamps(tmp_path / "out")
    again = told(pair, tmp_path / "out")
    assert (again.made, len(again.kept)) == ((), 2)
    assert stamps(tmp_path / "out") == before
    assert len(told(pair, tmp_path / "out", frames=10).made) == 2
    assert {np.load(path).shape[0] for path in (tmp_path / "out" / FOLDER).iterdir()} == {10}
    told(pair, tmp_path / "other", frames=10)
    assert {p: it for p, it in tree(tmp_path / "other").items() if p != "pack.jsonl"} == {
        p: it for p, it in tree(tmp_path / "out").items() if p != "pack.jsonl"
    }


def test_clips_that_are_too_short_and_numbers_that_are_too_few_are_told(pair, tmp_path):
    known(pair, width=128)
    done = told(pair, tmp_path / "out", frames=26)
    assert [*done.left_out.values()] == ["25 frames, 26 are asked for"]
    assert done.notes == ("128 numbers a face, where the seed's networks want 1792",)


def test_embeddings_of_a_few_frames_are_refused_with_what_makes_them_all(pair, tmp_path):
    rows = known(pair)
    save_embeddings(
        pair, {id: np.where(np.arange(len(it))[:, None] % 5, np.nan, it).astype(np.float32) for id, it in rows.items()},
        {id: np.zeros(len(it), bool) for id, it in rows.items()},
    )  # fmt: skip
    done = told(pair, tmp_path / "out")
    assert done.failure and "--embeddings.per-track 0" in done.failure.message
    assert not (tmp_path / "out" / FOLDER).exists()


def test_a_recording_without_embeddings_fails_alone(pair, tmp_path):
    done = told(pair, tmp_path / "out")
    assert done.failure and "has no 'embeddings'" in done.failure.message


def test_two_films_of_one_number_are_not_packed_into_one_folder(pair, tmp_path):
    """As where a corpus lists them twice: the second fails, and says why."""
    known(numbered(pair))
    told(pair, tmp_path / "out")
    ledger = tmp_path / "out" / "pack.jsonl"
    ledger.write_text(ledger.read_text().replace(pair.recording.id, "another-00000000"))
    done = told(pair, tmp_path / "out")
    assert done.failure and "would both be face_emb/00017_0_face_emb.npy" in done.failure.message
