"""Lips of real people: known in every frame, and moving while they talk."""

import numpy as np
import pytest

from phonoscope import Store, prepare
from phonoscope.models.backends.mouth import LOOKS

CLIPS = ("may_5s.mp4", "grid_bbaf2n.mpg", "voxceleb2_00002.mp4")


@pytest.mark.real
@pytest.mark.parametrize("clip", CLIPS)
def test_a_talking_head_has_lips_that_move(shared_data, tmp_path, clip):
    (outcome,) = prepare([shared_data / "a_talking_head" / clip], tmp_path, ("lips",)).carry_out()
    assert outcome.failure is None
    lips = Store(tmp_path)[outcome.recording].load("lips")
    rows = np.concatenate([np.asarray(rows) for rows in lips.arrays.values()])
    assert np.isfinite(rows).mean() > 0.95
    known = rows[np.isfinite(rows).all(1)]
    looks, change, movement = np.split(known, (LOOKS, 2 * LOOKS), 1)
    assert 0.2 < looks.std(0).mean() < 2.5, "numbers that a network can take as they are"
    assert 0.2 < change.std(0).mean() < 2.5
    assert 0.2 < movement.std(0).mean() < 2.5
    assert np.corrcoef(np.abs(change).sum(1), movement[:, 0])[0, 1] > 0.3, "both tell of the same mouth"
