"""Shards appear whole or not at all; what is whole is kept, what has changed is made, what fails stops nobody else."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.data.pack import ShardParams, pack, shard_job
from phonoscope.data.pack import job as pack_job
from phonoscope.flow.shard import Shard
from phonoscope.testing.known import PAIR as SCENE
from phonoscope.testing.known import known_tracks, save_tracks
from phonoscope.testing.packs import stamps, tree

ONE_EACH = ShardParams(size=64, shard_clips=1)


def told(store, to, params=ONE_EACH, **settings):
    return [*pack(store, to, "webdataset", params=params, **settings).carry_out()]


def shards_in(to):
    return sorted(path.name for path in to.glob("*.tar"))


@pytest.fixture
def train(store):
    """All clips in one set, whatever the hash says of them."""
    for id in store:
        store[id].list_as(Listed("ours", f"{id}.mp4", "", "train"))
    return store


def test_the_manifest_tells_what_lies_there(train, tmp_path):
    to = tmp_path / "to"
    assert [len(it.made) for it in told(train, to)] == [2, 1]
    about = json.loads((to / "manifest.json").read_text())
    assert [it["file"] for it in about["shards"]] == shards_in(to) == [f"train-00000{it}.tar" for it in range(3)]
    for it in about["shards"]:
        content = (to / it["file"]).read_bytes()
        assert (it["bytes"], it["sha256"], it["clips"]) == (len(content), sha256(content).hexdigest(), 1)
    assert about["splits"] == {"train": {"shards": 3, "clips": 3, "seconds": 2.8}}
    rows = (to / "clips.csv").read_text().splitlines()
    assert len(rows) == 1 + 3 and rows[1].split(",")[2] == "train-000000.tar"


def test_a_second_time_nothing_is_made_and_what_was_lost_is(train, tmp_path):
    to = tmp_path / "to"
    told(train, to)
    before, content = stamps(to), tree(to)
    assert not any(it.made for it in told(train, to)) and stamps(to) == before
    (to / "train-000001.tar").unlink()
    assert [[*map(len, (it.made, it.kept))] for it in told(train, to)] == [[1, 1], [0, 1]]
    changed = {path for path, stamp in stamps(to).items() if before.get(path) != stamp}
    assert changed == {"train-000001.tar", "shards.jsonl"}
    assert {**tree(to), "shards.jsonl": b""} == {**content, "shards.jsonl": b""}


def test_killed_between_two_clips_it_goes_on_with_the_shard_that_was_not_whole(train, tmp_path, monkeypatch):
    to = tmp_path / "to"
    written = pack_job.WEBDATASET.write

    def killed(path, clips):
        written(path, clips if path.name == "train-000000.tar" else _first_then_killed(clips))

    monkeypatch.setitem(pack_job.LAYOUTS, "webdataset", replace(pack_job.WEBDATASET, write=killed))
    with pytest.raises(KeyboardInterrupt):
        told(train, to)
    assert shards_in(to) == ["train-000000.tar"] and not [*to.glob(".*")]
    assert [it["file"] for it in json.loads((to / "manifest.json").read_text())["shards"]] == shards_in(to)
    monkeypatch.undo()
    assert [[*map(len, (it.made, it.kept))] for it in told(train, to)] == [[1, 1], [1, 0]]
    told(train, tmp_path / "undisturbed")
    undisturbed = tree(tmp_path / "undisturbed")
    assert {name: content for name, content in tree(to).items() if name != "shards.jsonl"} == {
        name: content for name, content in undisturbed.items() if name != "shards.jsonl"
    }


def _first_then_killed(clips):
    yield next(iter(clips))
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs copies of a process")
def test_killed_at_whatever_moment_nothing_half_is_left_and_the_next_run_mends_it(train, tmp_path):
    rows = [f"{it},0,{start},{start + 2}" for it in train for start in (1, 4)]
    (tmp_path / "clips.csv").write_text("\n".join(["recording,track,start_frame,stop_frame", *rows]))
    (tmp_path / "work").mkdir()
    script = Path(__file__).with_name("kill_packing.py")
    command = [sys.executable, script, train.root, tmp_path / "clips.csv", tmp_path / "work", "23", "webdataset"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["touches"] > 100 and found["bad"] == []


def test_a_film_that_is_gone_leaves_a_hole_that_is_filled_when_it_is_back(train, tmp_path, monkeypatch):
    to, (pair, mute) = tmp_path / "to", [*train]
    whole = ShardParams(size=64)

    def lost(stored, lookers):
        if stored.folder.name == mute:
            raise OSError(5, "the disk is broken")
        return watched(stored, lookers)

    watched = shard_job.watch
    monkeypatch.setattr(shard_job, "watch", lost)
    first = told(train, to, whole)
    assert [(it.recording, len(it.made), it.failure is None) for it in first] == [(pair, 2, True), (mute, 0, False)]
    assert json.loads((to / "manifest.json").read_text())["shards"][0]["failed"] == [mute]
    monkeypatch.undo()
    assert [len(it.made) for it in told(train, to, whole)] == [2, 1]
    assert json.loads((to / "manifest.json").read_text())["shards"][0]["failed"] == []
    assert [len(it.kept) for it in told(train, to, whole)] == [2, 1]


def test_while_a_film_is_gone_what_was_packed_of_it_stays(train, tmp_path, monkeypatch):
    to = tmp_path / "to"
    told(train, to)
    before, pair = stamps(to), next(iter(train))
    train[pair].forget("asd")
    monkeypatch.setattr(shard_job, "watch", lambda stored, lookers: 1 / 0)
    assert [it.failure is None for it in told(train, to)] == [False, True]
    assert {name: stamp for name, stamp in stamps(to).items() if name.endswith(".tar")} == {
        name: stamp for name, stamp in before.items() if name.endswith(".tar")
    }
    assert [it["file"] for it in json.loads((to / "manifest.json").read_text())["shards"]] == ["train-000002.tar"]


def test_only_shards_whose_clips_have_changed_are_made_and_no_others_stay(train, tmp_path):
    to, (pair, mute) = tmp_path / "to", [*train]
    told(train, to)
    save_tracks(train[pair], known_tracks(SCENE, late=8), take=2)  # the second head begins later
    for name in ("landmarks", "asd"):
        train[pair].forget(name)
    before = stamps(to)
    assert [[*map(len, (it.made, it.kept))] for it in told(train, to)] == [[2, 0], [0, 1]]
    assert stamps(to)["train-000002.tar"] == before["train-000002.tar"]
    assert [len(it.kept) for it in told(train, to, only=[mute])] == [0]
    assert shards_in(to) == ["train-000000.tar"]


def test_several_machines_fill_one_folder(train, tmp_path):
    for part in (Shard(1, 2), Shard(2, 2)):
        told(train, tmp_path / "parts", shard=part)
    told(train, tmp_path / "alone")
    parts, alone = (
        {name: content for name, content in tree(tmp_path / it).items() if name != "shards.jsonl"}
        for it in ("parts", "alone")
    )
    assert parts == alone and len(alone) == 3 + 2


def test_what_would_be_done_is_told_and_not_done(train, tmp_path):
    job = pack(train, tmp_path / "to", "webdataset", params=ONE_EACH)
    assert [len(it.made) for it in job.foretell()] == [2, 1] and not (tmp_path / "to").exists()


def test_a_recording_without_tracks_fails_alone(train, tmp_path):
    pair, mute = [*train]
    train[mute].forget("tracks")
    first, second = told(train, tmp_path / "to")
    assert first.recording == mute and first.failure and "has no 'tracks'" in first.failure.message
    assert second.recording == pair and len(second.made) == 2


def test_another_layout_keeps_out(train, tmp_path):
    pack(train, tmp_path / "to", "webdataset", params=ONE_EACH)
    told(train, tmp_path / "to", only=[[*train][1]])
    with pytest.raises(UsageError, match="holds shards in the layout 'webdataset'"):
        pack(train, tmp_path / "to", "parquet")
    with pytest.raises(UsageError, match="other things"):
        pack(train, tmp_path / "to", "clips")
