"""The main job on real film: a result for each, a track for every talking head, nothing to do the second time."""

import hashlib

import numpy as np
import pytest

from phonoscope import Store, prepare

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def films(shared_data):
    return [shared_data / folder for folder in ("a_talking_head", "b_multi_face")]


@pytest.fixture(scope="module")
def store(films, shared_weights, tmp_path_factory):
    root = tmp_path_factory.mktemp("real") / "films"
    before = {p: hashlib.sha256(p.read_bytes()).hexdigest() for folder in films for p in folder.iterdir()}
    outcomes = list(prepare(films, root).carry_out(jobs=2))
    assert len(outcomes) == len(before) and not [o.failure for o in outcomes if o.failure]
    assert before == {p: hashlib.sha256(p.read_bytes()).hexdigest() for folder in films for p in folder.iterdir()}
    return Store(root)


def test_every_talking_head_has_one_track_that_covers_it(store, films):
    for path in films[0].iterdir():
        (id,) = [i for i in store if store[i].recording.source == path.as_uri()]
        length, tracks = store[id].recording.num_frames, list(store[id].load("tracks"))
        assert sum(len(t) >= 0.95 * length for t in tracks) == 1, (id, tracks)


def test_every_frame_of_every_track_has_a_finite_score(store):
    for id in store:
        if store[id].recording.num_samples:
            scores = store[id].load("asd")
            assert len(scores.frame) == sum(len(t) for t in store[id].load("tracks"))
            assert np.isfinite(scores.columns["score"]).all()


def test_all_five_people_of_the_table_are_followed(store):
    tracks = store["mpiigaze"].load("tracks")
    assert sum(len(t) >= 0.95 * store["mpiigaze"].recording.num_frames for t in tracks) >= 5


def test_a_second_run_makes_nothing(store, films):
    outcomes = list(prepare(films, store.root).carry_out())
    assert not [o.recording for o in outcomes if o.made or o.failure]
