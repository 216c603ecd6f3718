"""Batches out of shards: every clip once an epoch, similar lengths together, the same for the same seed."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.data.shard_feed import FeedParams, batches_of, padded
from phonoscope.data.shard_reading import Place, places_in

PLACES = st.lists(st.integers(1, 40), min_size=1, max_size=60).map(
    lambda lengths: [Place(f"train-{at // 9:06d}.tar", f"clip-{at}", it / 4) for at, it in enumerate(lengths)]
)
PARAMS = st.builds(
    FeedParams, batch=st.integers(1, 9), batch_s=st.sampled_from([0.0, 5.0, 20.0]), buffer=st.integers(1, 30),
    buckets=st.integers(1, 4), seed=st.integers(0, 9),
)  # fmt: skip


@given(places=PLACES, p=PARAMS, epoch=st.integers(0, 5))
def test_an_epoch_has_every_clip_once_in_batches_that_are_not_too_large(places, p, epoch):
    batches = batches_of(places, p, epoch)
    assert sorted(it.clip for it in chain(*batches)) == sorted(it.clip for it in places)
    for batch in batches:
        assert 1 <= len(batch) <= p.batch
        assert not p.batch_s or len(batch) == 1 or max(it.seconds for it in batch) * len(batch) <= p.batch_s
    assert batches == batches_of(places, p, epoch)


@given(places=PLACES, p=PARAMS, ranks=st.integers(1, 4))
def test_ranks_have_as_many_batches_each_and_share_none(places, p, ranks):
    shares = [
        batches_of(places, FeedParams(batch=p.batch, seed=p.seed, rank=rank, ranks=ranks), 0) for rank in range(ranks)
    ]
    assert len({len(it) for it in shares}) == 1
    clips = [it.clip for it in chain(*chain(*shares))]
    assert len(clips) == len({*clips}) and len(places) - len(clips) <= (ranks - 1) * p.batch


@given(count=st.integers(1, 60), buffer=st.integers(1, 30), seed=st.integers(0, 9))
def test_shards_are_read_nearly_from_one_end_to_the_other(count, buffer, seed):
    places = [Place("train-000000.tar", str(at), 1.0) for at in range(count)]
    p = FeedParams(batch=1, buffer=buffer, buckets=1, seed=seed)
    drawn = [int(batch[0].clip) for batch in batches_of(places, p, 0)]
    assert all(it < turn + buffer for turn, it in enumerate(drawn)) and sorted(drawn) == [*range(count)]
    assert buffer > 1 or drawn == [*range(count)]


def test_epochs_and_seeds_differ():
    places = [Place("train-000000.tar", f"clip-{at}", 1.0) for at in range(50)]
    orders = [str(batches_of(places, FeedParams(seed=seed), epoch)) for seed in (0, 1) for epoch in (0, 1)]
    assert len({*orders}) == 4


def test_buckets_waste_less():
    rng = np.random.default_rng(0)
    places = [Place("train-000000.tar", f"clip-{at}", it) for at, it in enumerate(rng.uniform(1, 10, 400).tolist())]

    def waste(buckets: int) -> float:
        batches = batches_of(places, FeedParams(buckets=buckets), 0)
        room = sum(max(it.seconds for it in batch) * len(batch) for batch in batches)
        return 1 - sum(it.seconds for it in places) / room

    assert waste(8) < waste(1) / 3


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_padding_keeps_every_row(lengths):
    arrays = [np.full((it, 2), it, np.float32) for it in lengths]
    whole, count = padded(arrays)
    assert whole.shape == (len(lengths), max(lengths), 2) and count.tolist() == lengths
    assert all((row[:it] == it).all() and not row[it:].any() for row, it in zip(whole, lengths, strict=True))


def test_films_of_several_sizes_do_not_make_a_batch():
    with pytest.raises(ValueError, match="pack films of one size"):
        padded([np.zeros((3, 4, 4)), np.zeros((3, 6, 6))])


def test_a_folder_without_shards_is_told_how_to_get_some(tmp_path):
    with pytest.raises(UsageError, match="--as webdataset"):
        places_in(tmp_path, "train")
    (tmp_path / "clips.csv").write_text("clip,split,shard,seconds\na,train,train-000000.tar,1.0\n")
    with pytest.raises(UsageError, match="no clips of the set 'test'; it has train"):
        places_in(tmp_path, "test")
