import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.models.boxes import areas, iou, keep_best

side = st.integers(1, 40)
corner = st.integers(-20, 60)


@st.composite
def some_boxes(draw: st.DrawFn) -> np.ndarray:
    rows = draw(st.lists(st.tuples(corner, corner, side, side), max_size=12))
    x, y, w, h = np.array(rows, np.float32).reshape(-1, 4).T
    return np.stack([x, y, x + w, y + h], 1)


@given(some_boxes(), some_boxes())
def test_overlap_is_symmetric_and_a_share(a: np.ndarray, b: np.ndarray) -> None:
    overlap = iou(a, b)
    assert overlap.shape == (len(a), len(b))
    assert np.array_equal(overlap, iou(b, a).T)
    assert ((overlap >= 0) & (overlap <= 1)).all()


@given(some_boxes())
def test_a_box_overlaps_itself_wholly(boxes: np.ndarray) -> None:
    assert (np.diag(iou(boxes, boxes)) == 1).all()


@given(some_boxes(), some_boxes())
def test_overlap_equals_the_share_of_pixels_when_counted(a: np.ndarray, b: np.ndarray) -> None:
    def mask(box: np.ndarray) -> np.ndarray:
        x0, y0, x1, y1 = (box + 20).astype(int)
        canvas = np.zeros((120, 120), bool)
        canvas[y0:y1, x0:x1] = True
        return canvas

    for i, j in np.ndindex(min(2, len(a)), min(2, len(b))):
        counted = (mask(a[i]) & mask(b[j])).sum() / (mask(a[i]) | mask(b[j])).sum()
        assert np.isclose(iou(a, b)[i, j], counted)


@given(some_boxes(), st.data(), st.sampled_from([0.0, 0.3, 0.45, 0.9]))
def test_kept_boxes_do_not_overlap_and_every_other_yields_to_a_better_one(
    boxes: np.ndarray, data: st.DataObject, max_iou: float
) -> None:
    scores = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(boxes), max_size=len(boxes))), np.float32)
    kept = keep_best(boxes, scores, max_iou)
    overlap = iou(boxes, boxes)
    assert (np.diff(scores[kept]) <= 0).all()
    assert (overlap[np.ix_(kept, kept)][~np.eye(len(kept), dtype=bool)] <= max_iou).all()
    for row in set(range(len(boxes))) - set(kept.tolist()):
        assert any(overlap[row, k] > max_iou and scores[k] >= scores[row] for k in kept)


def test_a_box_turned_inside_out_has_no_area_and_overlaps_nothing() -> None:
    boxes = np.array([[10, 10, 5, 5], [0, 0, 20, 20]], np.float32)
    assert areas(boxes).tolist() == [0, 400]
    assert iou(boxes, boxes)[0].tolist() == [0, 0]
