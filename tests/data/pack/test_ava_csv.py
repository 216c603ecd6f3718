"""Predictions as AVA's evaluation reads them: every row once, at its own time, in the official columns."""

import csv
from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import TrackTable
from phonoscope.corpora.ava import AvaRows, read_ava, write_ava
from phonoscope.data.pack import AvaCsvParams, pack
from phonoscope.job import annotations
from phonoscope.metrics.ranking import average_precision
from phonoscope.store.folder import Store
from phonoscope.store.receipts import BY_CORPUS, Receipt
from phonoscope.tasks.asd.evaluation import evaluate
from phonoscope.testing.known import MUTE, PAIR, known_store, save_asd
from phonoscope.testing.packs import stamps, tree


def scores_of(stored) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(3)
    return {track.id: rng.normal(0, 4, len(track)).astype(np.float32) for track in stored.load("tracks")}


@pytest.fixture
def scored(pair):
    save_asd(pair, scores_of(pair))
    return pair


def carried_out(stored, to: Path, **more):
    (told,) = pack(stored.folder.parents[1], to, "ava-csv", **more).carry_out()
    return told


def lines(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_every_frame_of_every_track_has_its_row_with_time_box_and_score(scored, tmp_path):
    told, to, scores = carried_out(scored, tmp_path / "out"), tmp_path / "out", scores_of(scored)
    assert told.failure is None and told.made == (scored.recording.id,)
    rows = iter(lines(to / "predictions.csv"))
    id, width, height = scored.recording.id, scored.recording.width, scored.recording.height
    for track in scored.load("tracks"):
        for row in range(len(track)):
            video, time, *box, label, entity, score = next(rows)
            assert (video, label, entity) == (id, "SPEAKING_AUDIBLE", f"{id}:{track.id}")
            assert float(time) == (track.start + row) / 25 and float(score) == scores[track.id][row]
            wanted = np.clip(track.box[row] / [width, height, width, height], 0, 1)
            np.testing.assert_allclose(np.array(box, float), wanted, rtol=1e-15)
    assert next(rows, None) is None


def test_it_is_read_back_as_predictions(scored, tmp_path):
    carried_out(scored, tmp_path / "out")
    for path in (tmp_path / "out" / "predictions.csv", tmp_path / "out" / "csv"):
        rows = read_ava(path)
        assert rows.speaking.all() and rows.score is not None
        np.testing.assert_array_equal(rows.score, np.concatenate([*scores_of(scored).values()]))


def give_labels(stored) -> TrackTable:
    """Labels of some frames, with times and boxes as a corpus gave them."""
    rng, table = np.random.default_rng(0), stored.load("asd")
    some = np.sort(rng.choice(len(table.track), 20, replace=False))
    columns = {
        "label": rng.integers(0, 3, 20).astype(np.int8),
        "entity": np.array([f"vid_0000_0060:{track + 7}" for track in table.track[some]]),
        "time_s": 902 + table.frame[some] / 25 + 0.003,
        **{
            name: rng.uniform(0.1 if name < "x" else 0, 0.4 if name.endswith("0") else 0.5, 20) for name in ("x0", "y0")
        },
        **{name: rng.uniform(0.5, 1, 20) for name in ("x1", "y1")},
    }
    labels = TrackTable(table.track[some], table.frame[some], columns)
    stored.save("labels", labels, Receipt(key="given", step=BY_CORPUS, version=1))
    return labels


def test_where_a_corpus_gave_labels_there_are_exactly_their_rows(scored, tmp_path):
    labels, asd = give_labels(scored), scored.load("asd")
    scored.list_as(Listed(corpus="ava", path="-abc_123.mkv"))
    carried_out(scored, tmp_path / "out")
    rows = read_ava(tmp_path / "out" / "csv" / "-abc_123-activespeaker.csv")
    assert rows.videos == ("-abc_123",) and len(rows) == 20
    np.testing.assert_array_equal(rows.time_s, labels.columns["time_s"])
    np.testing.assert_array_equal(rows.box, np.stack([labels.columns[it] for it in ("x0", "y0", "x1", "y1")], 1))
    assert [rows.entities[it] for it in rows.entity] == labels.columns["entity"].tolist()
    score = {(t, f): s for t, f, s in zip(asd.track, asd.frame, asd.columns["score"], strict=True)}
    assert rows.score is not None
    assert rows.score.tolist() == [score[it] for it in zip(labels.track, labels.frame, strict=True)]


def test_labels_of_a_table_come_back_as_predictions_that_the_evaluation_takes(films, tmp_path):
    """AVA's csv -> store -> scores -> csv: not a row is moved, lost or new, by the evaluation's own checks."""
    rng, times = np.random.default_rng(0), np.arange(3, 27) / 25
    x, y = rng.uniform(0, 0.4, (2, 48))
    truth = AvaRows(
        videos=("a pair",), entities=("a pair_0000:1", "a pair_0000:2"), video=np.zeros(48, np.int32),
        entity=np.repeat([0, 1], 24).astype(np.int32), time_s=np.tile(times, 2),
        box=np.stack([x, y, x + 0.3, y + 0.4], 1), label=rng.integers(0, 3, 48).astype(np.int8),
    )  # fmt: skip
    write_ava(tmp_path / "truth.csv", truth)
    list(annotations([tmp_path / "truth.csv"], films, tmp_path / "films").carry_out())
    (stored,) = (Store(tmp_path / "films")[id] for id in Store(tmp_path / "films"))
    save_asd(stored, scores_of(stored))
    carried_out(stored, tmp_path / "out")
    made = evaluate(truth, read_ava(tmp_path / "out" / "predictions.csv"))
    scores = np.concatenate([*scores_of(stored).values()])
    assert made.average_precision == average_precision(stored.load("labels").columns["label"] == 1, scores)


def test_chosen_clips_alone_are_told(scored, tmp_path):
    table = tmp_path / "clips.csv"
    table.write_text(f"recording,track,start_frame,stop_frame\n{scored.recording.id},1,10,14\n")
    carried_out(scored, tmp_path / "out", clips=table)
    rows = read_ava(tmp_path / "out" / "predictions.csv")
    assert rows.time_s.tolist() == [0.4, 0.44, 0.48, 0.52] and rows.entities == (f"{scored.recording.id}:1",)
    track = scored.load("tracks")[1]
    np.testing.assert_array_equal(rows.score, scores_of(scored)[1][10 - track.start : 14 - track.start])


def test_probabilities_are_between_0_and_1_and_in_the_same_order(scored, tmp_path):
    carried_out(scored, tmp_path / "a")
    carried_out(scored, tmp_path / "b", params=AvaCsvParams(scores="probability"))
    odds, share = (read_ava(tmp_path / it / "predictions.csv").score for it in "ab")
    assert odds is not None and share is not None
    np.testing.assert_allclose(share, 1 / (1 + np.exp(-odds)))


def test_the_second_time_nothing_is_written_and_new_scores_are(scored, tmp_path):
    to = tmp_path / "out"
    carried_out(scored, to)
    before = stamps(to)
    assert carried_out(scored, to).kept == (scored.recording.id,) and stamps(to) == before
    save_asd(scored, {id: -it for id, it in scores_of(scored).items()}, take=2)
    assert carried_out(scored, to).made == (scored.recording.id,)
    assert [float(row[-1]) for row in lines(to / "predictions.csv")] == [
        -float(it) for rows in scores_of(scored).values() for it in rows
    ]


def test_shards_make_one_table_of_all_and_silent_films_are_left_out(scored, films, tmp_path):
    root = scored.folder.parents[1]
    other = known_store(films / "mute.mp4", MUTE, root)
    told = {it.recording: it for it in pack(root, tmp_path / "out", "ava-csv").carry_out()}
    assert told[other.recording.id].left_out == {other.recording.id: "it has no sound, so nobody speaks"}
    assert read_ava(tmp_path / "out" / "predictions.csv").videos == (scored.recording.id,)
    assert lines(tmp_path / "out" / "clips.csv")[1][:3] == [scored.recording.id, scored.recording.id, ""]


def test_two_recordings_of_one_name_do_not_overwrite_each_other(scored, tmp_path):
    root = scored.folder.parents[1]
    scored.list_as(Listed(corpus="vlogs", path="training/ana/a talk.mp4"))
    again = tmp_path / "again.mp4"
    again.write_bytes(scored.source.read_bytes() + b"\0" * 8)  # the same pictures in another file
    other = known_store(again, PAIR, root)
    save_asd(other, scores_of(other))
    other.list_as(Listed(corpus="vlogs", path="training/ana/a talk.mkv"))
    told = list(pack(root, tmp_path / "out", "ava-csv").carry_out())
    assert sorted(it.failure is None for it in told) == [False, True]
    (failed,) = [it.failure for it in told if it.failure]
    assert "have one name in their corpus" in failed.message
    assert (tmp_path / "out" / "csv" / "training_ana_a talk-activespeaker.csv").exists()


def test_without_scores_it_says_what_is_wanting(pair, tmp_path):
    told = carried_out(pair, tmp_path / "out")
    assert told.failure is not None and "has no 'asd'" in told.failure.message
    assert tree(tmp_path / "out").get("predictions.csv") == b""


def test_a_folder_of_another_layout_is_refused(scored, tmp_path):
    carried_out(scored, tmp_path / "out")
    with pytest.raises(UsageError, match="holds clips in the layout 'ava-csv'"):
        pack(Store(scored.folder.parents[1]), tmp_path / "out")
