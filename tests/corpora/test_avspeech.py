"""AVSpeech's catalogue: rows whatever the header, films whole or cut, and the list of valid clips."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope import prepare
from phonoscope.core.errors import UsageError
from phonoscope.corpora.avspeech import catalogued, read_valid, rows_of, write_valid
from phonoscope.corpora.avspeech_rows import Row, read_catalogue, wanted
from phonoscope.corpora.listing import CORPORA, films_of
from phonoscope.store.folder import Store
from phonoscope.store.uri import as_uri

ROWS = ["AvWWVOgaMlk,90.000000,93.566667,0.586719,0.311111", "-5dmmCJpv_c,30.03,36.04,0.40,0.5",
        "AvWWVOgaMlk,100,105,0.25,0.5"]  # fmt: skip
HEADERS = ["", "link,start_time,end_time,pos_x,pos_y", "link,start_time,end_time,x_coord,y_coord",
           "YouTube ID,start,end,X,Y"]  # fmt: skip


def csv_of(path, header="", rows=ROWS):
    path.write_text("\n".join([*filter(None, [header]), *rows]) + "\n")
    return path


@pytest.mark.parametrize("header", HEADERS)
def test_a_row_keeps_its_number_whatever_the_header(tmp_path, header):
    path = csv_of(tmp_path / "train.csv", header.replace("YouTube ID", "youtube_id"))
    rows = read_catalogue(path)
    assert [(it.row, it.video) for it in rows] == [(0, "AvWWVOgaMlk"), (1, "-5dmmCJpv_c"), (2, "AvWWVOgaMlk")]
    assert rows[0] == Row(row=0, video="AvWWVOgaMlk", start_s=90.0, stop_s=93.566667, x=0.586719, y=0.311111)


@given(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 5)), st.booleans())
def test_ranges_are_half_open(tmp_path_factory, first, last, header):
    path = csv_of(tmp_path_factory.mktemp("csv") / "avspeech_train.csv", HEADERS[1] if header else "")
    assert [it.row for it in read_catalogue(path, first, last)] == [0, 1, 2][first:last]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("link,start_time,pos_x,pos_y\na,1,2,3\n", "no column 'end_time'"),
        (f"{ROWS[0]}\nAvWWVOgaMlk,now,2,0,0\n", "row 1: 'now' is no number"),
        (f"{ROWS[0]}\nAvWWVOgaMlk,nan,2,0,0\n", "row 1: 'nan' is no number"),
        (f"{ROWS[0]}\nAvWWVOgaMlk,2\n", "row 1: 'AvWWVOgaMlk,2' has 2 columns"),
        (f"{ROWS[0]}\nAvWWVOgaMlk,3,2,0,0\n", "row 1: from 3 to 2 s is no span"),
        (f"{ROWS[0]}\n,1,2,0,0\n", "row 1: '' is no id"),
    ],
)
def test_what_is_no_catalogue_is_told_in_a_line(tmp_path, text, said):
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_catalogue(tmp_path / "train.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        read_catalogue(tmp_path / "nowhere.csv")


def test_what_is_to_be_fetched_is_called_by_its_row(tmp_path):
    films = wanted(csv_of(tmp_path / "train.csv"), 0, 3)
    told = [(it.url, [(piece.name, piece.start_s) for piece in it.pieces]) for it in films]
    assert told == [
        ("https://www.youtube.com/watch?v=AvWWVOgaMlk", [("0", 90.0), ("2", 100.0)]),
        ("https://www.youtube.com/watch?v=-5dmmCJpv_c", [("1", 30.03)]),
    ]


def test_films_are_whole_or_cut_to_their_row(tmp_path):
    path = csv_of(tmp_path / "avspeech_train.csv")
    for name in ("AvWWVOgaMlk.mp4", "1.mp4", "elsewhere.mp4"):
        (tmp_path / name).touch()
    found = {film.name: (listed, rows) for film, listed, rows in catalogued(tmp_path)}
    assert found.keys() == {"AvWWVOgaMlk.mp4", "1.mp4"}
    assert [(it.row, it.start_s) for it in found["AvWWVOgaMlk.mp4"][1]] == [(0, 90.0), (2, 100.0)]
    (cut,) = found["1.mp4"][1]
    assert (cut.row, cut.start_s, cut.stop_s) == (1, 0.0, pytest.approx(6.01))
    assert found["1.mp4"][0].speaker == "-5dmmCJpv_c" and found["1.mp4"][0].split == ""
    path.rename(tmp_path / "test.csv")
    assert CORPORA["avspeech"](tmp_path)[0][1].split == "test"


def test_rows_are_chosen_by_name_and_range(tmp_path):
    csv_of(tmp_path / "avspeech_train.csv")
    for name in ("0.mp4", "1.mp4", "2.mp4"):
        (tmp_path / name).touch()
    for corpus, rows in (("avspeech", [0, 1, 2]), ("avspeech:0:2", [0, 1]), ("avspeech:1:", [1, 2])):
        films, lists = films_of(corpus, [str(tmp_path)])
        assert [lists.rows[as_uri(film)][0].row for film in films] == rows
    for corpus, said in (
        ("avspeech:1", "tells no rows"),
        ("avspeech:a:b", "tells no rows"),
        ("vlogs:0:2", "taken whole"),
    ):
        with pytest.raises(UsageError, match=said):
            films_of(corpus, [str(tmp_path)])
    csv_of(tmp_path / "more.csv")
    with pytest.raises(UsageError, match="2 csv files: name AVSpeech's catalogue itself"):
        films_of("avspeech", [str(tmp_path)])
    assert len(films_of("avspeech", [str(tmp_path / "more.csv")])[0]) == 3
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no film beside"):
        films_of("avspeech", [str(csv_of(tmp_path / "empty" / "train.csv"))])


def test_what_the_catalogue_tells_is_kept_with_the_film(tmp_path, silent_puppet):
    films = tmp_path / "clips"
    films.mkdir()
    csv_of(films / "train.csv", rows=["AvWWVOgaMlk,10,11.5,0.5,0.4"])
    shutil.copy(silent_puppet, films / "0.mp4")
    for _ in range(2):
        job = prepare([str(films)], tmp_path / "store", ("recording",), corpus="avspeech")
        assert not any(it.failure for it in job.carry_out())
    store = Store(tmp_path / "store")
    (stored,) = (store[id] for id in store)
    assert rows_of(stored) == (Row(row=0, video="AvWWVOgaMlk", start_s=0.0, stop_s=1.5, x=0.5, y=0.4),)
    assert json.loads((stored.folder / "listed.json").read_text())["speaker"] == "AvWWVOgaMlk"


@given(st.dictionaries(st.integers(0, 10**7), st.sampled_from([0.0, 0.5, 1.0])))
def test_the_list_comes_back(tmp_path_factory, shares):
    path = tmp_path_factory.mktemp("valid") / "valid_frame.txt"
    write_valid(path, shares)
    before = path.stat().st_mtime_ns
    write_valid(path, shares)
    assert read_valid(path) == {row for row, share in shares.items() if share == 1}
    assert path.stat().st_mtime_ns == before and [*path.parent.iterdir()] == [path]


def test_lists_as_the_seed_leaves_them_are_read(tmp_path):
    path = tmp_path / "valid_frame.txt"
    path.write_text("frame_3\nframe_3\nframe_17")  # twice, by its append, and without an end
    assert read_valid(path) == {3, 17}
    path.write_text("frame_3\nface_17\n")
    with pytest.raises(UsageError, match="lists 'face_17'"):
        read_valid(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_valid(tmp_path / "nowhere.txt")
