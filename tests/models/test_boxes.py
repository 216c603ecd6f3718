"""Of boxes that overlap the best one stays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.geometry import iou
from phonoscope.models.boxes import keep_best

side = st.integers(1, 40)
corner = st.integers(-20, 60)


@st.composite
def some_boxes(draw: st.DrawFn) -> np.ndarray:
    rows = draw(st.lists(st.tuples(corner, corner, side, side), max_size=12))
    x, y, w, h = np.array(rows, np.float32).reshape(-1, 4).T
    return np.stack([x, y, x + w, y + h], 1)


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
