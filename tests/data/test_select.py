"""Selections: every track is asked what is known of it, and every one that is left out is accounted for."""

import re
from fractions import Fraction
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.media import Recording, Rights
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.data.clips import read_clips
from phonoscope.data.columns import ALWAYS, MADE_BY, OWN, spread
from phonoscope.data.select import candidates, select
from phonoscope.job import STEPS
from phonoscope.steps import motion, mouth
from phonoscope.store.codecs import write_recording
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt, write_receipts
from phonoscope.store.selections import Selection, read_selections

FPS = Fraction(30000, 1001)
FRAMES = 200
SPANS = {0: Span(0, 90), 1: Span(60, 120), 3: Span(120, 132)}  # 0 and 1 are seen together from 60 to 89
NO_RIGHTS = Rights()
ALL = ("tracks", "asd", "vad", "quality", "pose", "mouth", "landmarks", "sizes")


def a_track(id, span, rng):
    low = rng.uniform(0, 100, (len(span), 2))
    box = np.hstack([low, low + rng.uniform(20, 80, (len(span), 2))]).astype(np.float32)
    observed = rng.random(len(span)) < 0.5
    return Track(id, span.start, box, np.where(observed, np.float32(0.9), np.nan).astype(np.float32), observed)


def along(rng, *columns, track=None):
    """Numbers along all tracks; those of `track` are NaN."""
    ids = np.concatenate([np.full(len(span), id, np.int32) for id, span in SPANS.items()])
    frames = np.concatenate([np.arange(span.start, span.stop, dtype=np.int32) for span in SPANS.values()])
    values = {name: rng.normal(20, 15, len(ids)).astype(np.float32) for name in columns}
    for column in values.values():
        column[ids == track] = np.nan
    return TrackTable(ids, frames, values)


def artifacts(rng):
    points = {id: rng.uniform(0, 100, (len(span), 68, 2)).astype(np.float32) for id, span in SPANS.items()}
    points[1][:15] = np.nan
    rotation = [f"r{row}{column}" for row, column in product(range(3), range(3))]
    return {
        "tracks": Tracks(tuple(a_track(id, span, rng) for id, span in SPANS.items())),
        "asd": along(rng, "score"),
        "vad": Series(rng.random(668).astype(np.float32), Fraction(100), Fraction(1, 200)),
        "quality": along(rng, "blur", "brightness", "contrast", "size_px", "faces", "confidence"),
        "pose": along(rng, "yaw_deg", "pitch_deg", "roll_deg", track=3),
        "mouth": along(rng, "opening", "width", "lower_face"),
        "landmarks": TrackArrays(points, along(rng, "score", *rotation)),
        "sizes": along(rng, "size_px"),
    }


def add(store, name, names, rights=NO_RIGHTS, seed=0):
    """A recording of three tracks, with these artifacts."""
    film = (f"file:///films/{name}.mp4", "0" * 64, FPS, FRAMES, 640, 360, 16000, 106773, Fraction(0))
    folder = store.root / "recordings" / f"{name}-00000000"
    folder.mkdir(parents=True)
    write_recording(folder / "recording.json", Recording(folder.name, *film, rights=rights))
    write_receipts(folder, {"recording": Receipt(key="k", step="ingest", version=1)})
    stored, made = store[folder.name], artifacts(np.random.default_rng(seed))
    for it in names:
        inputs = {} if it in ("tracks", "vad") else {"tracks": "tracks"}
        stored.save(it, made[it], Receipt(key=it, step=it, version=1, inputs=inputs))
    return stored


@pytest.fixture
def store(tmp_path):
    """A recording of which everything is known, one of which only the tracks are, and one without tracks."""
    store = Store.create(tmp_path / "films")
    add(store, "b-whole", ALL, Rights(licence="CC BY 4.0", consent="signed", origin="our studio"), seed=1)
    add(store, "a-bare", ("tracks",), seed=2)
    add(store, "c-fresh", ())
    return store


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Such a store for tests that only read."""
    store = Store.create(tmp_path_factory.mktemp("kept") / "films")
    add(store, "b-whole", ALL, seed=1)
    add(store, "a-bare", ("tracks",), seed=2)
    return store


def rows(table, *columns):
    return [tuple(row[name] for name in columns) for row in table.to_pylist()]


limits = st.integers(-40, 80)
asked = st.sampled_from(["blur", "yaw_deg", "size_px_min", "opening", "duration_s", "faces", "landmark_score_max"])
conjunctions = st.lists(
    st.tuples(asked, st.sampled_from(["<", ">=", "!="]), limits).map(lambda it: " ".join(map(str, it))),
    min_size=1,
    max_size=4,
)


@settings(max_examples=12)
@given(parts=conjunctions)
def test_every_candidate_is_left_dropped_or_not_measured(kept, parts):
    chosen = select(kept, " and ".join(parts))
    before, before_s = chosen.selection.candidates, chosen.selection.seconds
    for stage in chosen.selection.stages:
        assert before == stage.clips + stage.dropped + stage.unmeasured
        assert stage.dropped <= stage.alone and stage.seconds <= before_s
        assert bool(stage.unmeasured) == bool(stage.wanting)
        before, before_s = stage.clips, stage.seconds
    assert chosen.table.num_rows == chosen.selection.clips
    assert sum(chosen.table["duration_s"].to_pylist()) == pytest.approx(chosen.selection.clips_s)


@settings(max_examples=12)
@given(parts=conjunctions)
def test_the_order_of_conditions_changes_nothing_of_what_is_selected(kept, parts):
    there, back = (select(kept, " and ".join(order)).table for order in (parts, parts[::-1]))
    assert rows(there, "recording", "track") == rows(back, "recording", "track")


@settings(max_examples=12)
@given(parts=conjunctions)
def test_a_condition_drops_alone_what_it_drops_when_it_is_all_that_is_asked(kept, parts):
    for stage in select(kept, " and ".join(parts)).selection.stages:
        (alone,) = select(kept, stage.condition).selection.stages
        assert (alone.dropped, alone.alone, alone.alone_s) == (stage.alone, stage.alone, stage.alone_s)


def test_a_query_selects_what_pyarrow_selects(kept):
    table = candidates(kept)
    wanted = table.filter((pc.field("blur") > 10) & (pc.abs(pc.field("yaw_deg")) < 40) & (pc.field("faces") <= 2))
    assert 0 < wanted.num_rows < table.num_rows
    found = select(kept, "blur > 10 and abs(yaw_deg) < 40 and faces <= 2").table
    assert rows(found, "recording", "track") == rows(wanted, "recording", "track")


def test_what_varies_along_a_track_is_its_median_its_least_and_its_most(kept):
    stored = kept["b-whole"]
    for artifact, column, name in (
        ("quality", "blur", "blur"), ("mouth", "width", "mouth_width"), ("sizes", "size_px", "sizes_size_px"),
        ("pose", "pitch_deg", "pitch_deg"),
    ):  # fmt: skip
        table = stored.load(artifact)
        for row in select(kept, "'whole' in recording").table.to_pylist():
            values = table.of(row["track"], column).astype(np.float64)
            if row["track"] == 3 and artifact == "pose":
                values = np.array([np.nan])
            said = [row[name], row[f"{name}_min"], row[f"{name}_max"]]
            np.testing.assert_allclose(said, [np.median(values), values.min(), values.max()], rtol=1e-6)


def test_scores_become_shares_and_means(kept):
    stored = kept["b-whole"]
    recording, scores, voice = stored.recording, stored.load("asd"), stored.load("vad")
    instants = voice.start + np.arange(len(voice)) / voice.rate
    for row in select(kept, "'whole' in recording").table.to_pylist():
        span, score = SPANS[row["track"]], scores.of(row["track"], "score")
        assert row["speaking"] == np.mean(score > 0) and row["score"] == pytest.approx(score.astype(float).mean())
        under = [start <= at * FPS < stop for at in instants for start, stop in [(span.start, span.stop)]]
        assert row["voice"] == pytest.approx(voice.values[under].mean(), abs=0.02)
        assert row["missing"] == (0.25 if row["track"] == 1 else 0)
        assert (row["duration_s"], row["stop_s"]) == (float(len(span) / FPS), float(span.stop / recording.fps))


def test_faces_is_the_most_there_are_in_any_frame(kept):
    assert rows(candidates(kept).slice(3), "track", "faces") == [(0, 2), (1, 2), (3, 1)]


def test_a_track_is_a_row_with_its_rights_by_recording_then_track(store):
    table = candidates(store)
    assert rows(table, "recording", "track") == [
        (f"{name}-00000000", id) for name in ("a-bare", "b-whole") for id in SPANS
    ]
    assert rows(table, "licence", "consent", "origin")[3:] == [("CC BY 4.0", "signed", "our studio")] * 3
    assert select(store, "'CC' in licence").selection.clips == 3
    assert table.schema.field("track").type == pa.int32() and table.schema.field("blur").type == pa.float64()


def test_what_was_never_measured_is_counted_and_told(store):
    selection = select(store, "duration_s > 1 and blur > -1000 and speaking >= 0").selection
    assert [(it.clips, it.dropped, it.unmeasured) for it in selection.stages] == [(4, 2, 0), (2, 0, 2), (2, 0, 0)]
    assert [it.wanting for it in selection.stages] == [(), ("quality",), ()] and selection.untracked == 1
    assert select(store, "blur > -1000 or faces >= 1").selection.stages[0].unmeasured == 0


def test_what_could_not_be_seen_was_measured_and_compares_false(store):
    (stage,) = select(store, "abs(yaw_deg) <= 1000").selection.stages
    assert (stage.clips, stage.dropped, stage.unmeasured) == (2, 1, 3)


def test_what_is_stale_is_not_measured(store):
    stored = store["b-whole"]
    stored.save("tracks", stored.load("tracks"), Receipt(key="other", step="tracks", version=1))
    with pytest.raises(UsageError, match=r"nobody has measured 'blur' in this store: `phonoscope run quality .*films`"):
        select(store, "blur > 20")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("hands < 0.1", r"nobody has measured 'hands' in this store: `phonoscope run hands .*films` does"),
        ("angular_deg_s_max < 90", "`phonoscope run motion"),
        ("blurr > 20", "no column 'blurr'; did you mean 'blur'?"),
        ("hand > 20", "no column 'hand'; did you mean 'hands'?"),
        ("blur >", "cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_is_written(store, tmp_path, where, said):
    with pytest.raises(UsageError, match=said):
        select(store, where, tmp_path / "clips.csv")
    assert not (tmp_path / "clips.csv").exists() and read_selections(store.root) == []


def test_a_store_without_tracks_says_which_step_makes_them(tmp_path):
    store = Store.create(tmp_path / "films")
    with pytest.raises(UsageError, match="has no recordings: `phonoscope prepare"):
        select(store)
    add(store, "fresh", ())
    with pytest.raises(UsageError, match="no tracks to select: `phonoscope run tracks"):
        select(store)
    add(store, "nobody", ())
    store["nobody"].save("tracks", Tracks(), Receipt(key="k", step="tracks", version=1))
    assert select(store, "faces == 1").selection == Selection(
        where="faces == 1",
        file="",
        candidates=0,
        seconds=0.0,
        untracked=1,
        stages=select(store, "faces == 1").selection.stages,
    )


@pytest.mark.parametrize("name", ["clips.parquet", "clips.csv"])
def test_the_file_holds_what_was_selected_and_gives_clips(store, tmp_path, name):
    chosen = select(store, "duration_s > 1", tmp_path / name)
    back = pq.read_table(tmp_path / name) if name.endswith("parquet") else pyarrow.csv.read_csv(tmp_path / name)
    assert back.column_names == chosen.table.column_names
    for column in ("recording", "track", "stop_frame", "start_s", "blur", "speaking"):
        assert back[column].to_pylist() == chosen.table[column].to_pylist()
    clips = read_clips(tmp_path / name)
    assert clips == chosen.clips and [it.span for it in clips] == [SPANS[0], SPANS[1]] * 2
    assert len({it.id for it in clips}) == 4 and clips[1].tracks == (1,) and clips[1].recording == "a-bare-00000000"


def test_the_same_selection_gives_the_same_bytes_and_says_how_it_came_about(store, tmp_path):
    chosen = select(store, "duration_s > 1", tmp_path / "clips.parquet")
    once = (tmp_path / "clips.parquet").read_bytes()
    select(store, "duration_s > 1", tmp_path / "clips.parquet")
    assert (tmp_path / "clips.parquet").read_bytes() == once
    about = pq.read_schema(tmp_path / "clips.parquet").metadata
    assert about[b"phonoscope"] == b"clips"
    assert msgspec.json.decode(about[b"selection"], type=Selection) == chosen.selection
    assert chosen.selection.file == "../clips.parquet"


def test_the_store_remembers_what_was_written_once_a_file(store, tmp_path):
    assert select(store, "faces == 1").selection.file == "" and read_selections(store.root) == []
    for where, name in (("faces == 1", "a.csv"), ("faces == 2", "b.csv"), ("duration_s > 1", "a.csv")):
        select(store, where, tmp_path / name)
    assert [(it.file, it.where) for it in read_selections(store.root)] == [
        ("../b.csv", "faces == 2"), ("../a.csv", "duration_s > 1"),
    ]  # fmt: skip
    with (store.root / "selections.jsonl").open("a") as file:
        file.write('{"where": "fac')
    assert len(read_selections(store.root)) == 2
    select(store, "", tmp_path / "c.csv")
    assert [it.file for it in read_selections(store.root)] == ["../b.csv", "../a.csv", "../c.csv"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("clips.txt", "written to .parquet or .csv, not to"),
        ("nowhere/clips.csv", "there is no folder"),
        ("films/index.parquet", "the store keeps its own"),
        ("films/recordings/b-whole-00000000/clips.csv", "the store keeps its own"),
        ("mine.csv", "is there and holds no clips"),
        ("mine.parquet", "is there and holds no clips"),
    ],
)
def test_no_file_of_others_is_written_over(store, tmp_path, place, said):
    (tmp_path / "mine.csv").write_text("name,age\n")
    (tmp_path / "mine.parquet").write_bytes(b"PAR1")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=said):
        select(store, "", tmp_path / place)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_table_without_spans_is_no_file_of_clips(tmp_path):
    (tmp_path / "mine.csv").write_text("recording,track\na,0\n")
    with pytest.raises(UsageError, match="no column start_frame, stop_frame"):
        read_clips(tmp_path / "mine.csv")
    (tmp_path / "mine.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="cannot be read"):
        read_clips(tmp_path / "mine.parquet")


def test_what_our_steps_measure_is_named_after_them():
    assert {*MADE_BY.values()} <= {*STEPS}
    assert {*OWN["mouth"]} == {*mouth.COLUMNS} and {*OWN["motion"]} == {*motion.COLUMNS}


def test_the_page_has_every_column(kept):
    page = (Path(__file__).parents[2] / "docs" / "select.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (?:the recording|`\w+`) \| (.*) \|$", page, re.MULTILINE)
    once = {name for cell in told for name in re.findall(r"`(\w+)`", cell.partition("with `_min` and `_max`: ")[0])}
    varies = {name for cell in told for name in re.findall(r"`(\w+)`", cell.partition("with `_min` and `_max`: ")[2])}
    assert once | {end for name in varies for end in spread(name)} == {*ALWAYS, *MADE_BY}
    assert {*candidates(kept).column_names} - {*ALWAYS, *MADE_BY} == {*spread("sizes_size_px")}


def test_the_columns_there_are_are_told_once_each(store):
    with pytest.raises(UsageError, match="no column 'zzz'; there are ") as error:
        select(store, "zzz > 1")
    told = str(error.value).partition("there are ")[2].split(", ")
    assert len(told) == len({*told}) > 20
