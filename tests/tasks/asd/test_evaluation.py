"""Scores against a truth: the official figure, the official refusals, and no place in a file that matters."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava import SPEAKING_AUDIBLE, AvaRows, read_ava, write_ava
from phonoscope.tasks.asd import matching
from phonoscope.tasks.asd.evaluation import Part, evaluate, read_sizes


def table(seed, faces=5, frames=7, videos=2):
    """Rows of several faces; some frames hold more than one of them."""
    rng = np.random.default_rng(seed)
    entity = np.repeat(np.arange(faces, dtype=np.int32), frames)
    corner = rng.uniform(0, 0.5, (len(entity), 2))
    label = rng.integers(0, 3, len(entity)).astype(np.int8)
    label[0] = SPEAKING_AUDIBLE
    return AvaRows(
        videos=tuple(f"video{v}" for v in range(videos)),
        entities=tuple(f"video{face % videos}_0900_0960:{face}" for face in range(faces)),
        video=entity % videos,
        entity=entity,
        time_s=np.round(902 + (np.tile(np.arange(frames), faces) + entity) / 25, 2),
        box=np.concatenate([corner, corner + rng.uniform(0.05, 0.4, corner.shape)], 1),
        label=label,
    )


def predictions(truth, seed, levels=0):
    """Scores of every row, in another order; of so many levels only, if any."""
    rng = np.random.default_rng(seed)
    score = rng.integers(0, levels, len(truth)).astype(float) if levels else rng.normal(size=len(truth))
    return truth.scored(score).take(rng.permutation(len(truth)))


def official(truth_csv, scores_csv):
    """The official procedure as it is described, row by row, on files without a header; knows nothing of ours."""

    def rows(path):
        with path.open(newline="") as file:
            return {f"{float(row[1])}:{row[7]}": row for row in csv.reader(file)}

    truth, scores = rows(truth_csv), rows(scores_csv)
    assert len(truth) == len(scores) and {row[6] for row in scores.values()} == {"SPEAKING_AUDIBLE"}
    merged = [(float(scores[uid][8]), truth[uid], scores[uid]) for uid in truth]
    merged.sort(key=lambda it: -it[0])
    positives, found, points = sum(row[6] == "SPEAKING_AUDIBLE" for row in truth.values()), 0, []
    for k, (_, here, there) in enumerate(merged, 1):
        assert all(abs(float(a) - float(b)) <= 1e-9 for a, b in zip(here[2:6], there[2:6], strict=True))
        found += here[6] == "SPEAKING_AUDIBLE"
        points.append((found / positives, found / k))
    area, last = 0.0, 0.0
    for k, (recall, _) in enumerate(points):
        area += (recall - last) * max(precision for _, precision in points[k:])
        last = recall
    return area


@given(st.integers(0, 9999), st.integers(0, 9999))
def test_it_is_the_official_figure(tmp_path_factory, seed, other):
    folder, truth = tmp_path_factory.mktemp("ava"), table(seed)
    write_ava(folder / "truth.csv", truth)
    write_ava(folder / "scores.csv", predictions(truth, other))
    found = evaluate(read_ava(folder / "truth.csv"), read_ava(folder / "scores.csv"))
    theirs = official(folder / "truth.csv", folder / "scores.csv")
    assert found.average_precision == pytest.approx(theirs, abs=1e-12, rel=0)
    assert found.average_precision_worst == found.average_precision == found.average_precision_best


@given(st.integers(0, 9999), st.integers(0, 9999), st.integers(1, 5))
def test_ties_are_ordered_by_video_entity_and_time_and_bracketed(tmp_path_factory, seed, other, levels):
    folder, truth = tmp_path_factory.mktemp("ava"), table(seed)
    scores = predictions(truth, other, levels)
    found = evaluate(truth, scores)
    write_ava(folder / "truth.csv", truth.take(truth.order))
    write_ava(folder / "scores.csv", scores)
    theirs = official(folder / "truth.csv", folder / "scores.csv")  # Python sorts stably
    assert found.average_precision == pytest.approx(theirs, abs=1e-12, rel=0)
    assert found.average_precision_worst - 1e-12 <= theirs <= found.average_precision_best + 1e-12


@given(st.integers(0, 9999), st.integers(0, 4), st.integers(0, 9999))
def test_the_order_of_rows_and_of_names_changes_nothing(seed, levels, turn):
    truth = table(seed)
    scores = predictions(truth, seed, levels)
    rng = np.random.default_rng(turn)
    names = rng.permutation(len(truth.entities))
    turned = AvaRows(
        **{
            **vars(truth.take(rng.permutation(len(truth)))),
            "entities": tuple(truth.entities[code] for code in names),
        }
    )
    back = np.argsort(names).astype(np.int32)
    turned = AvaRows(**{**vars(turned), "entity": back[turned.entity]})
    assert evaluate(turned, scores.take(rng.permutation(len(scores)))) == evaluate(truth, scores)


@given(st.integers(0, 9999))
def test_faces_that_swap_times_or_videos_are_refused_though_there_are_as_many_rows(seed):
    truth, rng = table(seed), np.random.default_rng(seed)
    scores = predictions(truth, seed)
    pair = rng.choice(len(truth), 2, replace=False)
    for column in ("video", "entity", "time_s"):
        swapped = getattr(scores, column).copy()
        swapped[pair] = swapped[pair[::-1]]
        if (swapped == getattr(scores, column)).all():
            continue
        with pytest.raises(UsageError, match=r"wanting in the predictions|there twice|another box"):
            evaluate(truth, replace(scores, **{column: swapped}))


@given(st.integers(0, 9999), st.integers(0, 3))
def test_the_parts_of_a_breakdown_are_the_whole(seed, levels):
    truth = table(seed, faces=6)
    found = evaluate(truth, predictions(truth, seed, levels))
    assert set(found.breakdowns) == {"faces_in_frame", "face_height"}
    for parts in found.breakdowns.values():
        assert sum(part.rows for part in parts.values()) == len(truth)
        assert sum(part.positives for part in parts.values()) == int(truth.speaking.sum())


def test_a_part_is_what_its_rows_alone_would_give():
    truth = table(3, faces=8, videos=3)
    scores = predictions(truth, 3)
    pictures = [*zip(truth.video.tolist(), truth.tick.tolist(), strict=True)]
    count = np.array([pictures.count(picture) for picture in pictures])
    found = evaluate(truth, scores).breakdowns["faces_in_frame"]
    for name, rows in (("1", count == 1), ("2", count == 2), ("3+", count >= 3)):
        alone = evaluate(truth.take(rows), scores, strict=False) if truth.speaking[rows].any() else None
        assert found[name].rows == int(rows.sum())
        assert found[name].average_precision == (alone and alone.average_precision)


def test_faces_are_parted_by_width_where_sizes_are_known(tmp_path):
    truth = table(0, faces=1, frames=4, videos=1)
    truth.box[:] = [[0.1, 0.1, 0.1 + width / 1000, 0.2] for width in (63, 64, 128, 129)]
    truth.label[:] = [1, 0, 1, 1]
    (tmp_path / "sizes.csv").write_text("video,width,height\nvideo0,1000,500\n")
    scores = truth.scored(np.arange(4))
    parts = evaluate(truth, scores, sizes=read_sizes(tmp_path / "sizes.csv")).breakdowns["face_width_px"]
    assert {name: (part.rows, part.positives) for name, part in parts.items()} == {
        "small": (1, 1),
        "medium": (2, 1),
        "large": (1, 1),
    }
    with pytest.raises(UsageError, match="the size of 'video0' is not given"):
        evaluate(truth, scores, sizes={})


def test_a_part_without_positives_has_no_figure():
    truth = table(0, faces=1, frames=3, videos=1)
    truth.box[:, 1], truth.box[:, 3] = 0.0, [0.1, 0.2, 0.3]
    truth.label[:] = [0, 1, 0]
    parts = evaluate(truth, truth.scored(np.arange(3))).breakdowns["face_height"]
    assert parts["smallest_third"] == Part(1, 0, None, None, None)
    assert parts["middle_third"] == Part(1, 1, 1.0, 1.0, 1.0)


def spoilt(what):
    """A truth, and predictions that are wrong in one way."""
    truth = table(1)
    scores = truth.scored(np.arange(len(truth))).take(np.arange(len(truth)))
    if what == "wanting":
        scores = scores.take(np.arange(1, len(truth)))
    if what == "extra":
        truth = truth.take(np.arange(1, len(truth)))
    if what == "later":
        scores.time_s[0] += 0.0033
    if what == "moved":
        scores = AvaRows(**{**vars(scores), "box": scores.box + (np.arange(len(truth)) == 2)[:, None] * 2e-9})
    if what == "label":
        scores.label[3] = 0
    if what == "twice":
        scores = scores.take(np.r_[0, 0 : len(truth)])
    if what == "twice in truth":
        truth = truth.take(np.r_[0, 0 : len(truth)])
    if what == "NaN":
        scores.score[[4, 5]] = np.nan
    if what == "no scores":
        scores = AvaRows(**{**vars(scores), "score": None})
    if what == "other":
        scores = AvaRows(**{**vars(scores), "videos": ("a", "b")})
    if what == "silent":
        truth.label[:] = 2
    if what == "nothing":
        scores = scores.take(np.arange(0))
    return truth, scores


FIRST = "'video0_0900_0960:0' of 'video0' at"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (
            "wanting",
            f"1 row of the truth are wanting in the predictions, first {FIRST} 902 s: the nearest .* \\+0.04 s",
        ),
        ("extra", f"1 row of the predictions are not in the truth, first {FIRST} 902 s"),
        ("later", f"first {FIRST} 902 s: the nearest of its face is .0.0033 s away"),
        ("moved", f"of the truth have another box in the predictions, first {FIRST} 902.08 s: moved by 2e-09"),
        ("label", f"of the predictions are not SPEAKING_AUDIBLE, first {FIRST} 902.12 s: NOT_SPEAKING"),
        ("twice", f"1 row of the predictions are there twice, first {FIRST} 902 s"),
        ("twice in truth", "of the truth are there twice"),
        ("NaN", f"2 rows of the predictions have no score, first {FIRST} 902.16 s"),
        ("no scores", "the predictions have no scores"),
        ("other", "35 rows of the truth are wanting in the predictions, .*: its face has none"),
        ("silent", "none of the 35 rows of the truth is SPEAKING_AUDIBLE"),
        ("nothing", "35 rows of truth and 0 of predictions"),
    ],
)
def test_what_the_official_procedure_refuses_is_refused_and_the_first_row_named(what, said):
    with pytest.raises(UsageError, match=said) as error:
        evaluate(*spoilt(what))
    assert "\n" not in str(error.value)


def test_a_box_may_be_a_billionth_away():
    truth = table(1)
    scores = truth.scored(np.arange(len(truth)))
    moved = AvaRows(**{**vars(scores), "box": scores.box + 0.9e-9})
    assert evaluate(truth, moved) == evaluate(truth, scores)


@pytest.mark.parametrize(
    ("what", "counts"),
    [
        ("wanting", (1, 0, 0)),
        ("extra", (0, 0, 1)),
        ("later", (1, 0, 1)),
        ("moved", (0, 0, 0)),
        ("label", (0, 0, 0)),
        ("NaN", (2, 0, 0)),
        ("other", (0, 35, 35)),
    ],
)
def test_if_not_strict_rows_are_filled_in_and_counted(what, counts):
    found = evaluate(*spoilt(what), strict=False).counts
    assert (found["nearest"], found["lowest"], found["passed_over"]) == counts


def test_a_row_without_a_score_takes_the_nearest_and_of_two_the_earlier():
    truth = table(0, faces=2, frames=4, videos=1)
    truth.label[:] = [0, 1, 0, 0, 0, 0, 0, 0]
    scores = truth.scored(np.array([5.0, 9, 1, 2, 4, 4, 4, 4])).take(np.array([0, 2, 3]))
    found = evaluate(truth, scores, strict=False)
    assert (found.counts["nearest"], found.counts["lowest"]) == (1, 4)
    assert found.average_precision == 0.5, "it has the 5 of the row before it, which stands first"


@pytest.mark.parametrize("what", ["twice", "twice in truth", "no scores", "silent"])
def test_some_things_make_no_sense_at_all(what):
    with pytest.raises(UsageError):
        evaluate(*spoilt(what), strict=False)


@pytest.mark.parametrize("line", ["video0,640", "video0,wide,360", "video0,0,360"])
def test_sizes_are_whole_numbers_of_pixels(tmp_path, line):
    (tmp_path / "s.csv").write_text(line)
    with pytest.raises(UsageError, match="line 1: expected video,width,height in px"):
        read_sizes(tmp_path / "s.csv")


def test_names_beyond_counting_are_matched_too(monkeypatch):
    truth = table(2)
    scores = predictions(truth, 2).take(np.arange(len(truth) - 1))
    usual = evaluate(truth, scores, strict=False)
    monkeypatch.setattr(matching, "MOST", 1)
    assert evaluate(truth, scores, strict=False) == usual


@pytest.mark.real
def test_a_published_table_is_evaluated(shared_data):
    truth = read_ava(shared_data / "c_annotations" / "asw_ava_style.csv.gz")
    perfect = evaluate(truth, truth.scored(truth.speaking))
    assert perfect.average_precision == perfect.average_precision_worst == 1.0
    assert perfect.counts == {"rows": 323_005, "positives": 135_832, "entities": 6054, "videos": 106}
    nothing = evaluate(truth, truth.scored(np.zeros(len(truth))))
    assert nothing.average_precision_worst == pytest.approx(135_832 / 323_005, abs=1e-12)
