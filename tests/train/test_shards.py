"""Training from shards: batches hold what was packed, and a feed goes on exactly where it was left."""

import shutil
from threading import Lock
from types import SimpleNamespace

import numpy as np
import pytest
from torch.utils.data import DataLoader

from phonoscope import Store
from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.time import Span
from phonoscope.data.pack import ShardParams, pack
from phonoscope.data.shard_feed import FeedParams
from phonoscope.testing.known import PAIR, known_store
from phonoscope.testing.puppet import film
from phonoscope.train import feed as feed_of_train
from phonoscope.train.feed import ahead
from phonoscope.train.shards import ShardFeed

LOCKED = [SimpleNamespace(lock=Lock())]
WANT, SINGLE = ("wav", "mp4", "landmarks.npy"), FeedParams(batch=1, seed=3)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A store of 30 frames of two people, and six clips of them in three shards."""
    root = tmp_path_factory.mktemp("packed")
    stored = known_store(film(root / "pair.mp4", PAIR), PAIR, root / "films")
    stored.list_as(Listed("ours", "pair.mp4", "", "train"))
    rows = [
        f"{stored.recording.id},{track},{start},{start + 4 + start // 5}" for track in (0, 1) for start in (5, 12, 20)
    ]
    (root / "clips.csv").write_text("\n".join(["recording,track,start_frame,stop_frame", *rows]))
    params = ShardParams(size=32, shard_clips=2)
    job = pack(root / "films", root / "shards", "webdataset", root / "clips.csv", params=params)
    assert [len(it.made) for it in job.carry_out()] == [6]
    return root


def names(batches):
    return [[it.clip for it in batch.about] for batch in batches]


def test_a_batch_holds_what_was_packed(packed):
    (batch,) = ShardFeed(packed / "shards", want=WANT, p=FeedParams(buckets=1)).epoch_of(0)
    store = Store(packed / "films")
    assert batch.tensors["mp4"].shape == (6, 8, 32, 32, 3) and sorted(batch.lengths["mp4"].tolist()) == [
        5,
        5,
        6,
        6,
        8,
        8,
    ]
    for row, about in enumerate(batch.about):
        sound = batch.tensors["wav"][row, : about.samples].numpy()
        span = Span(about.start_frame, about.stop_frame)
        np.testing.assert_array_equal(sound, store[about.recording].audio(span))
        assert not batch.tensors["wav"][row, about.samples :].any() and batch.lengths["wav"][row] == about.samples
        assert batch.tensors["mp4"][row, : about.frames].float().std() > 0


def test_a_feed_goes_on_exactly_where_it_was_left(packed):
    whole = ShardFeed(packed / "shards", want=("wav",), p=SINGLE)
    undisturbed = [*names(whole), *names(whole)]
    left = ShardFeed(packed / "shards", want=("wav",), p=SINGLE)
    begun = iter(left)
    seen = names(next(begun) for _ in range(2))
    begun.close()
    other = ShardFeed(packed / "shards", want=("wav",), p=SINGLE)
    other.load_state_dict(left.state_dict())
    assert seen + names(other) + names(other) == undisturbed
    assert undisturbed[:6] != undisturbed[6:] and sorted(undisturbed[:6]) == sorted(undisturbed[6:])


def test_our_loop_takes_the_batches_as_they_are(packed):
    feed = ShardFeed(packed / "shards", want=("wav",), p=SINGLE)
    assert names(ahead(feed.epoch_of(0), 2, 2)) == names(feed)[2:]


def test_workers_share_the_batches_of_an_epoch(packed, monkeypatch):
    feed = ShardFeed(packed / "shards", want=("wav",), p=SINGLE)
    shares = []
    for id in range(4):
        monkeypatch.setattr(feed_of_train, "get_worker_info", lambda id=id: SimpleNamespace(id=id, num_workers=4))
        feed.epoch = 0
        shares.append(names(feed))
    monkeypatch.undo()
    feed.epoch = 0
    in_turns = [share[turn] for turn in range(2) for share in shares if turn < len(share)]
    assert in_turns == names(feed)


def test_processes_of_a_data_loader_give_the_same_in_the_same_order(packed):
    feed = ShardFeed(packed / "shards", want=("wav",), p=SINGLE)
    undisturbed = names(feed.epoch_of(0))
    feed.batch = 1
    spawned = DataLoader(feed, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    assert names(spawned) == undisturbed[1:]
    with pytest.raises(UsageError, match="only examples of shards"):
        next(ahead(LOCKED, 0, 1, processes=1))


def test_a_state_of_other_shards_is_refused(packed, tmp_path):
    feed = ShardFeed(packed / "shards", want=("wav",), p=SINGLE)
    with pytest.raises(UsageError, match="other shards or other settings"):
        ShardFeed(packed / "shards", p=FeedParams(seed=4)).load_state_dict(feed.state_dict())


def test_a_shard_that_is_older_than_its_list_is_named(packed, tmp_path):
    shutil.copytree(packed / "shards", tmp_path / "shards")
    listed = tmp_path / "shards" / "clips.csv"
    listed.write_text(listed.read_text().replace("_0_5-10", "_0_5-11"))
    with pytest.raises(UsageError, match="pack the folder again"):
        list(ShardFeed(tmp_path / "shards", want=("wav",)))
