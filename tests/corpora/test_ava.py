"""Tables of AVA: every layout comes back as it was written, and what is wrong is told with its line."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava import (
    LABELS,
    AvaRows,
    join,
    rates_of,
    read_ava,
    read_loader,
    reading,
    write_ava,
    write_loader,
)

ROW = "vid,902.00,0.1,0.2,0.3,0.4,{},vid_0900_0960:1"
HEADER = "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,label,entity_id"


def table(seed, faces=4, frames=6, fps=25.0, scores=False):
    """Rows of several faces in two videos, in no order."""
    rng = np.random.default_rng(seed)
    entity = np.repeat(np.arange(faces, dtype=np.int32), frames)
    corner = rng.uniform(0, 0.5, (len(entity), 2))
    rows = AvaRows(
        videos=("-aa", "bb"),
        entities=tuple(f"{'-aa' if face % 2 else 'bb'}_0900_0960:{face}" for face in range(faces)),
        video=((entity + 1) % 2).astype(np.int32),
        entity=entity,
        time_s=np.tile(900 + np.arange(frames) / fps, faces),
        box=np.concatenate([corner, corner + rng.uniform(0, 0.4, corner.shape)], 1),
        label=rng.integers(0, 3, len(entity)).astype(np.int8),
        score=rng.normal(size=len(entity)) if scores else None,
    )
    return rows.take(rng.permutation(len(rows)))


def told(rows):
    """Rows as plain tuples."""
    names = [rows.videos[code] for code in rows.video], [rows.entities[code] for code in rows.entity]
    score = [None] * len(rows) if rows.score is None else rows.score.tolist()
    columns = (*names, rows.time_s.tolist(), map(tuple, rows.box.tolist()), rows.label.tolist(), score)
    return [*zip(*columns, strict=True)]


@given(st.integers(0, 999), st.booleans(), st.sampled_from(["official", "orig"]), st.sampled_from([".csv", ".csv.gz"]))
def test_what_is_written_comes_back_exactly(tmp_path_factory, seed, scores, layout, suffix):
    path = tmp_path_factory.mktemp("ava") / f"t{suffix}"
    rows = table(seed, scores=scores)
    write_ava(path, rows, layout)
    again = read_ava(path)
    assert told(again) == told(rows)
    if layout == "orig" and not scores:
        assert again.instance is not None and np.array_equal(again.instance, rows.label_runs())


@pytest.mark.parametrize("threads", [1, 3])
def test_a_table_of_many_blocks_comes_back_exactly_on_any_number_of_threads(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1 << 10)
    before, rows = pa.cpu_count(), table(4, faces=20, frames=30, scores=True)
    rows.score[7] = np.nan
    write_ava(tmp_path / "t.csv", rows)
    pa.set_cpu_count(threads)
    try:
        with ThreadPoolExecutor(2) as both:
            again = [*both.map(read_ava, [tmp_path / "t.csv"] * 2)]
    finally:
        pa.set_cpu_count(before)
    assert [repr(told(it)) for it in again] == [repr(told(rows))] * 2


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in ("a.csv.gz", "b.csv.gz"):
        write_ava(tmp_path / name, table(1))
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_the_official_layout_has_eight_columns_and_no_header(tmp_path):
    (tmp_path / "t.csv").write_text(ROW.format("SPEAKING_AUDIBLE") + "\r\n\n" + ROW.format(LABELS[2])[:-1] + "2\n")
    rows = read_ava(tmp_path / "t.csv")
    assert told(rows)[0] == ("vid", "vid_0900_0960:1", 902.0, (0.1, 0.2, 0.3, 0.4), 1, None)
    assert rows.speaking.tolist() == [True, False], "seen to speak but not heard is not speaking"


def test_columns_go_by_name_where_there_is_a_header(tmp_path):
    names = HEADER.split(",")
    cells = dict(zip(names, ROW.format("NOT_SPEAKING").split(","), strict=True)) | {"score": "-0.5", "uid": "7"}
    turned = ["uid", "score", *reversed(names)]
    lines = ",".join(turned), ",".join(cells[name] for name in turned)
    (tmp_path / "t.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    assert told(read_ava(tmp_path / "t.csv")) == [
        ("vid", "vid_0900_0960:1", 902.0, (0.1, 0.2, 0.3, 0.4), 0, -0.5),
    ]


def test_instance_ids_count_the_changes_of_label(tmp_path):
    rows = table(0, faces=1, frames=5)
    rows = rows.take(rows.order)
    rows.label[:] = [0, 0, 1, 2, 2]
    write_ava(tmp_path / "t_orig.csv", rows, "orig")
    lines = (tmp_path / "t_orig.csv").read_text().splitlines()
    assert lines[0] == f"{HEADER},label_id,instance_id"
    assert [line.split(",")[-2:] for line in lines[1:]] == [
        [label, f"bb_0900_0960:0:{run}"] for label, run in zip("00122", "00122", strict=True)
    ]


def test_a_folder_and_several_files_are_one_table(tmp_path):
    rows = table(3)
    for code, video in enumerate(rows.videos):
        write_ava(tmp_path / f"{video}-activespeaker.csv", rows.take(rows.video == code))
    (tmp_path / "notes.csv").write_text("no table")
    whole = read_ava(tmp_path)
    assert sorted(told(whole)) == sorted(told(rows))
    assert told(read_ava(sorted(tmp_path.glob("*-active*")))) == told(whole)


def test_joined_tables_keep_every_row(tmp_path):
    first, second = table(1), table(2, faces=3)
    assert told(join([first, second])) == told(first) + told(second)


@given(st.integers(0, 999))
def test_tracks_are_the_rows_of_each_face_by_time(seed):
    rows = table(seed)
    tracks = rows.tracks()
    assert sorted(np.concatenate(tracks).tolist()) == [*range(len(rows))]
    assert all(len({*rows.entity[it]}) == 1 and np.all(np.diff(rows.time_s[it]) > 0) for it in tracks)
    names = [(rows.videos[rows.video[it[0]]], rows.entities[rows.entity[it[0]]]) for it in tracks]
    assert names == sorted(names)


@given(st.integers(0, 999), st.booleans())
def test_runs_are_the_tracks_where_each_face_stands_together(seed, mixed):
    rows = table(seed)
    rows = rows if mixed else join([rows.take(track) for track in reversed(rows.tracks())])
    assert rows.num_faces == len(rows.tracks())
    assert int(rows.runs.length.sum()) == len(rows)
    if not mixed:
        assert rows.in_runs
        runs = zip(rows.runs.start.tolist(), rows.runs.length.tolist(), strict=True)
        assert sorted([*range(a, a + n)] for a, n in runs) == sorted(track.tolist() for track in rows.tracks())


def test_times_are_the_same_however_they_are_written(tmp_path):
    for name, time in (("a", "902.0"), ("b", "902.00"), ("c", "9.02e2")):
        (tmp_path / name).write_text(ROW.format("NOT_SPEAKING").replace("902.00", time))
    assert len({int(read_ava(tmp_path / name).tick[0]) for name in "abc"}) == 1


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["902.00," + ROW], "line 1: frame_timestamp is no number: 'vid'; expected video_id, frame_timestamp"),
        ([ROW + ",x"], "line 1: score is no number: 'x'"),
        (["vid,0.1,0.2,0.3,0.4,NOT_SPEAKING,902,vid:1"], "the label NOT_SPEAKING stands where entity_box_y2 belongs"),
        (["vid,902,1,0.1,0.2,0.3,0.4,vid:1"], "label '0.4' is none of .*are the columns shifted"),
        ([ROW, "vid,902,0.1"], "line 2: 3 columns, the first row has 8"),
        ([ROW, ROW[:-1] + "2", ROW.replace("{}", "SPEAKING")[:-1] + "3"], "line 3: label 'SPEAKING' is none of"),
        (
            [ROW, "", ROW.replace("0.3", "412.5")[:-1] + "2"],
            "line 3: a box from 0 to 1 was expected, got 0.1, 0.2, 412",
        ),
        ([ROW.replace("0.3", "0.05")], "line 1: the box 0.1, 0.2, 0.05, 0.4 ends before it begins"),
        ([ROW, ROW], "line 2: 'vid_0900_0960:1' at 902 s has had its row: .*line 1"),
        ([ROW, ROW.replace("902.00", "22550")], "is at 902 and at 22550: seconds and another unit are mixed"),
        ([ROW.replace("902.00", "1.7e18")], "line 1: the time stamp 1.7e[+]18 is no number of seconds"),
        ([ROW.replace("902.00", "-1")], "time stamp -1 is before the video begins"),
        ([ROW.replace("902.00", "00:15:02")], "frame_timestamp is no number: '00:15:02'"),
        ([ROW.replace("902.00", "")], "line 1: frame_timestamp is no number: ''"),
        ([ROW.replace("vid,", ",")], "video_id is empty"),
        ([ROW.replace(",", "\t")], "set apart by tabs: read_loader reads"),
        (["a,b,c"], "has no header and 3 columns; expected 8 or 9"),
        ([HEADER.replace(",label", ""), ROW], "has no column label: its header says"),
        ([HEADER + ",label", ROW], "has the column label twice"),
        ([HEADER + ",label_id,instance_id", ROW + ",1,vid:0"], "label_id is '1', but NOT_SPEAKING is 0"),
        ([HEADER], "has no rows"),
        ([], "is empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, lines, said):
    (tmp_path / "t.csv").write_text("\n".join(lines).replace("{}", "NOT_SPEAKING"))
    with pytest.raises(UsageError, match=said) as error:
        read_ava(tmp_path / "t.csv")
    assert "\n" not in str(error.value) and "t.csv" in str(error.value)


def test_the_line_of_the_right_file_is_told(tmp_path):
    write_ava(tmp_path / "a-activespeaker.csv", table(1))
    with gzip.open(tmp_path / "b-activespeaker.csv.gz", "wt") as file:
        file.write("\n".join([ROW.format(LABELS[0]), ROW.format(LABELS[0]).replace("0.4", "1.4")[:-1] + "2"]))
    with pytest.raises(UsageError, match=r"b-activespeaker.csv.gz', line 2: a box"):
        read_ava(tmp_path)


def test_time_stamps_of_two_kinds_are_told(tmp_path):
    rows = table(1, faces=1, frames=60)
    rows.time_s[rows.order[30]] = rows.time_s[rows.order[29]] + 0.002
    write_ava(tmp_path / "t.csv", rows)
    with pytest.raises(UsageError, match="less than a frame apart: time stamps of two kinds are mixed"):
        read_ava(tmp_path / "t.csv")


@pytest.mark.parametrize(("slow_s", "fine"), [(0.2, True), (0.07, False)])
def test_a_frame_is_as_long_as_its_own_videos(tmp_path, slow_s, fine):
    quick, slow = table(1, faces=2, frames=60, fps=25), table(1, faces=2, frames=60, fps=5)
    late = slow.order[30]
    slow.time_s[late] = slow.time_s[slow.order[29]] + slow_s
    named = AvaRows(**{**vars(slow.take(slow.order)), "videos": ("cc", "dd"), "entities": ("cc:0", "dd:1")})
    write_ava(tmp_path / "t.csv", join([quick.take(quick.order), named]))
    if fine:
        assert len(read_ava(tmp_path / "t.csv")) == 240
        return
    with pytest.raises(UsageError, match=r"'(cc|dd):[01]' is at .* less than a frame apart"):
        read_ava(tmp_path / "t.csv")


def test_what_is_not_there_is_told(tmp_path):
    for given_, said in ((tmp_path / "no.csv", "there is no file"), (tmp_path, "holds no"), ([], "no table of AVA's")):
        with pytest.raises(UsageError, match=said):
            read_ava(given_)


def test_names_that_would_shift_the_columns_are_refused(tmp_path):
    rows = table(1)
    with pytest.raises(UsageError, match="shifts the columns"):
        write_ava(tmp_path / "t.csv", AvaRows(**{**vars(rows), "entities": ("a,b", *rows.entities[1:])}))
    assert [*tmp_path.iterdir()] == []


@given(st.integers(0, 999))
def test_the_loaders_list_has_a_line_a_face(tmp_path_factory, seed):
    path, rows = tmp_path_factory.mktemp("ava") / "val_loader.csv", table(seed, frames=20)
    write_loader(path, rows)
    clips = read_loader(path)
    assert [clip.entity for clip in clips] == sorted(rows.entities, key=lambda it: (it[:2] == "bb", it))
    assert [clip.index for clip in clips] == [*range(len(clips))] and {clip.fps for clip in clips} == {25}
    for clip, track in zip(clips, rows.tracks(), strict=True):
        assert clip.labels.tolist() == rows.speaking[track].tolist(), "2, seen to speak but not heard, is 0"


def test_the_loaders_list_is_that_of_the_field(tmp_path):
    rows = table(0, faces=1, frames=3)
    rows = rows.take(rows.order)
    rows.label[:] = [0, 1, 2]
    write_loader(tmp_path / "l.csv", rows, {"bb": Fraction(30000, 1001)})
    assert (tmp_path / "l.csv").read_text() == "bb_0900_0960:0\t3\t29.97002997002997\t[0, 1, 0]\t0\n"
    (tmp_path / "theirs.csv").write_text("HV0H6oc4Kvs_0960_1020:1\t4\t29.97\t[0, 0, 1, 1, ]\t2715\n\n")
    (clip,) = read_loader(tmp_path / "theirs.csv")
    assert (clip.entity, len(clip), clip.fps, clip.index) == ("HV0H6oc4Kvs_0960_1020:1", 4, Fraction(30000, 1001), 2715)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,3,25.0,[0],1", "1 columns set apart by tabs, expected 5"),
        ("a\t3\t25.0\t[0, 1]\t1", "'a' has 3 frames, but 2 labels"),
        ("a\t1\t25.0\t[2]\t1", "a list of 0 and 1"),
        ("a\t1\t0\t[1]\t1", "expected more than 0"),
        ("a\tone\t25\t[1]\t1", "invalid literal"),
    ],
)
def test_a_wrong_line_of_a_loaders_list_is_told(tmp_path, line, said):
    (tmp_path / "l.csv").write_text(line)
    with pytest.raises(UsageError, match=said) as error:
        read_loader(tmp_path / "l.csv")
    assert "line 1" in str(error.value)


@given(st.sampled_from(["25", "24", "30", "24000/1001", "30000/1001", "5"]).map(Fraction), st.integers(0, 10**6))
def test_rates_are_found_though_times_were_rounded_to_hundredths(fps, first):
    starts = np.arange(20) * 1049  # faces all over some minutes, each half a second or so
    frame = np.concatenate([first + start + np.arange(15) for start in starts])
    entity = np.repeat(np.arange(len(starts), dtype=np.int32), 15)
    none = np.zeros(len(frame), np.int32)
    time_s = np.round(frame / float(fps), 2)
    names = tuple(f"v:{face:02}" for face in range(len(starts)))
    rows = AvaRows(("v",), names, none, entity, time_s, np.zeros((len(frame), 4)), none.astype(np.int8))
    assert rates_of(rows) == {"v": fps}


def test_a_rate_that_cannot_be_known_is_asked_for(tmp_path):
    rows = table(1, faces=2, frames=1)
    with pytest.raises(UsageError, match="no two rows of one face: say how many frames a second"):
        write_loader(tmp_path / "l.csv", rows)
    write_loader(tmp_path / "l.csv", rows, {"-aa": Fraction(25), "bb": Fraction(24)})
    rng = np.random.default_rng(0)
    odd = table(1, faces=2, frames=30)
    odd.time_s[:] += rng.uniform(0, 0.02, len(odd))
    with pytest.raises(UsageError, match="on no frame grid of a usual rate"):
        rates_of(odd)


@pytest.mark.real
def test_a_published_table_comes_through(shared_data, tmp_path):
    rows = read_ava(shared_data / "c_annotations" / "asw_ava_style.csv.gz")
    assert len(rows) == 323_005 and len(rows.videos) == 106 and int(rows.speaking.sum()) == 135_832
    assert len(rows.tracks()) == 6054 and set(rates_of(rows).values()) == {Fraction(5)}
