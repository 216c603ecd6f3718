"""Faces as seed 000 cuts them out: a JPEG a frame of the right face, or no clip at all."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from phonoscope.core.clips import Listed
from phonoscope.core.faces import Tracks
from phonoscope.core.time import Span
from phonoscope.corpora.avspeech import read_valid, write_rows
from phonoscope.corpora.avspeech_rows import Row
from phonoscope.data.pack import AvspeechFacesParams, Packed, pack
from phonoscope.steps.faces import FacesParams
from phonoscope.testing.packs import stamps


def told(stored, to, clips=None, **settings) -> Packed:
    params = AvspeechFacesParams(**{"frames": 20, **settings})
    (told,) = pack(stored.folder.parents[1], to, "avspeech-faces", clips, params=params).carry_out()
    return told


def catalogued(stored, *rows: tuple[int, int, float, float]) -> None:
    """Give a recording rows of the catalogue: number, track whose face is meant, start and stop in seconds."""
    of = {track.id: track.box.mean(0) for track in stored.load("tracks")}
    it = stored.recording
    write_rows(
        stored,
        [
            Row(row=row, video="x", start_s=start, stop_s=stop, x=float(of[face][0] + of[face][2]) / 2 / it.width,
                y=float(of[face][1] + of[face][3]) / 2 / it.height)
            for row, face, start, stop in rows
        ],
    )  # fmt: skip


def pictures(folder, number) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in sorted((folder / "face_input").glob(f"frame_{number}_*.jpg"))]


@pytest.mark.parametrize("face", [0, 1])
def test_each_frame_of_a_row_is_the_square_around_the_face_that_the_catalogue_means(pair, face, tmp_path):
    catalogued(pair, (17, face, 0.2, 1.2))
    done = told(pair, tmp_path / "out")
    assert (done.failure, done.made) == (None, (f"{pair.recording.id}_row-17",))
    names = sorted(path.name for path in (tmp_path / "out" / "face_input").iterdir())
    assert names == [f"frame_17_{frame:02d}.jpg" for frame in range(1, 21)]
    shown = pictures(tmp_path / "out", 17)
    want = pair.crops(face, "tight", Span(5, 25), size=160)
    other = pair.crops(1 - face, "tight", Span(5, 25), size=160)
    off = [np.abs(np.stack(shown).astype(int) - it).mean() for it in (want, other)]
    assert shown[0].shape == (160, 160, 3) and off[0] < 3 < off[1]
    assert read_valid(tmp_path / "out" / "valid_frame.txt") == {17}


def test_a_clip_without_its_face_in_one_frame_is_left_out_unless_that_is_allowed(pair, tmp_path):
    gap = FacesParams().every  # frames between two looks that found a face count as seen
    lost = [replace(it, observed=np.abs(np.arange(len(it)) - 12) > gap) for it in pair.load("tracks")]
    pair.save("tracks", Tracks(tuple(lost)), pair.receipts["tracks"])
    catalogued(pair, (3, 0, 0.0, 1.0), (4, 0, 0.4, 1.0))
    done = told(pair, tmp_path / "out", frames=15)
    assert [*done.left_out] == [f"{pair.recording.id}_row-{row}" for row in (3, 4)]
    assert "no face in" in done.left_out[f"{pair.recording.id}_row-3"]
    done = told(pair, tmp_path / "out", frames=15, max_missing=0.9)
    assert len(done.made) == 2 and 0 < len(pictures(tmp_path / "out", 3)) < 15
    assert (tmp_path / "out" / "valid_frame.txt").read_text() == ""


def test_films_without_a_catalogue_give_each_track_under_its_name_and_again_is_nothing(pair, tmp_path):
    done = told(pair, tmp_path / "out", size=64)
    assert len(done.made) == 2 and {it.shape for it in pictures(tmp_path / "out", done.made[0])} == {(64, 64, 3)}
    before = stamps(tmp_path / "out")
    again = told(pair, tmp_path / "out", size=64)
    assert (again.made, again.kept, stamps(tmp_path / "out")) == ((), done.made, before)
    larger = told(pair, tmp_path / "out", size=96)
    assert larger.made == done.made and {it.shape for it in pictures(tmp_path / "out", done.made[0])} == {(96, 96, 3)}


def chosen(stored, start: int, path) -> None:
    table = {"recording": [stored.recording.id], "track": [0], "start_frame": [start], "stop_frame": [start + 15]}
    pq.write_table(pa.table(table), path)


def test_a_clip_that_is_cut_anew_takes_the_place_of_the_one_before(pair, tmp_path):
    pair.list_as(Listed(corpus="avspeech", path="0.mp4"))
    for start in (0, 4):
        chosen(pair, start, tmp_path / "clips.parquet")
        done = told(pair, tmp_path / "out", tmp_path / "clips.parquet", frames=15)
        assert done.failure is None and len(done.made) == 1
        want = pair.crops(0, "tight", Span(start, start + 15), size=160)
        assert np.abs(np.stack(pictures(tmp_path / "out", 0)).astype(int) - want).mean() < 3
    assert (tmp_path / "out" / "valid_frame.txt").read_text() == ""  # no row of a catalogue


def test_two_films_of_one_number_are_told_apart_in_a_line(store, tmp_path):
    said = []
    for id in store:
        store[id].list_as(Listed(corpus="avspeech", path="17.mp4"))
        chosen(store[id], 0, tmp_path / "clips.parquet")
        said.append(told(store[id], tmp_path / "out", tmp_path / "clips.parquet", frames=15).failure)
    assert said[0] is None and said[1].message.endswith(
        "would both be frame_17: pack them into two folders with --only"
    )


def test_what_is_too_short_is_left_out_and_said(pair, tmp_path):
    done = told(pair, tmp_path / "out", frames=75)
    lengths = {len(track) for track in pair.load("tracks")}
    assert {*done.left_out.values()} == {f"{it} frames, 75 are asked for" for it in lengths} and not done.made
