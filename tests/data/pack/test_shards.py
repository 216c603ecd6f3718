"""Which clips go into which shard: every clip in one, none over its bounds, no set mixed, and nothing else matters."""

from fractions import Fraction
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.time import Span
from phonoscope.data.pack import ShardParams
from phonoscope.data.pack.shards import ShardClip, share_out

BY = ("tar", 1)
CLIPS = st.lists(
    st.tuples(st.integers(0, 99), st.integers(1, 200)), max_size=30, unique_by=lambda it: it[0]
).map(lambda them: [clip(*it) for it in them])  # fmt: skip
BOUNDS = st.builds(ShardParams, shard_s=st.integers(1, 20).map(float), shard_clips=st.integers(1, 8))


def clip(number: int, frames: int, key: str = "") -> ShardClip:
    split = ("test", "train")[number % 7 > 1]
    recording = f"film-{number // 3:02d}"
    return ShardClip(split, recording, f"{recording}_{number}", number, Span(0, frames), Fraction(frames, 25), key)


@given(clips=CLIPS, p=BOUNDS)
def test_every_clip_is_in_one_shard_of_its_set_and_none_is_over_its_bounds(clips, p):
    shards = share_out(clips, BY, p)
    assert sorted(it.name for shard in shards for it in shard.clips) == sorted(it.name for it in clips)
    for shard in shards:
        assert {it.split for it in shard.clips} == {shard.split} and shard.name.startswith(f"{shard.split}-")
        assert len(shard.clips) <= p.shard_clips and (shard.seconds <= p.shard_s or len(shard.clips) == 1)
        recordings = [it.recording for it in shard.clips]
        assert len([*groupby(recordings)]) == len({*recordings}), "a film would be decoded twice"


@given(clips=CLIPS, p=BOUNDS, data=st.data())
def test_the_order_in_which_clips_come_does_not_matter(clips, p, data):
    assert share_out(data.draw(st.permutations(clips)), BY, p) == share_out(clips, BY, p)


@given(clips=CLIPS, p=BOUNDS)
def test_what_comes_later_does_not_change_what_is_full(clips, p):
    early, late = ([it for it in clips if (it.recording < "film-17") == side] for side in (True, False))
    before, after = share_out(early, BY, p), {it.name: it for it in share_out([*early, *late], BY, p)}
    for split in ("test", "train"):
        full = [it for it in before if it.split == split][:-1]
        assert all(after[it.name] == it for it in full)


def test_shards_are_numbered_by_set_and_known_by_what_is_in_them():
    p = ShardParams(shard_clips=2)
    shards = share_out([clip(it, 25) for it in range(7)], BY, p)
    assert [it.name for it in shards] == ["test-000000", "train-000000", "train-000001", "train-000002"]
    changed = share_out([clip(it, 25, "new" if it == 4 else "") for it in range(7)], BY, p)
    assert [a.key == b.key for a, b in zip(shards, changed, strict=True)] == [True, True, False, True]
    assert len({it.key for it in shards}) == 4
    newer = share_out([clip(it, 25) for it in range(7)], ("tar", 2), p)
    assert not {it.key for it in shards} & {it.key for it in newer}
