"""What a store was told to forget goes out of what was packed of it, too."""

import json

import pytest

from phonoscope.data.pack import ClipsParams, ShardParams, pack
from phonoscope.store.forgotten import forget


def clips_in(to):
    return {line.split(",")[0] for line in (to / "clips.csv").read_text().splitlines()[1:]}


@pytest.mark.parametrize(("layout", "params"), [("clips", ClipsParams(size=64)), ("webdataset", ShardParams(size=64))])
def test_clips_of_a_forgotten_recording_are_taken_away(store, tmp_path, layout, params):
    to = tmp_path / "to"
    assert all(told.failure is None for told in pack(store, to, layout, params=params).carry_out())
    gone, stays = [*store]
    assert any(gone in path.read_bytes().decode("latin1") for path in to.rglob("*") if path.is_file())
    forget(store, gone)
    assert all(told.failure is None for told in pack(store, to, layout, params=params).carry_out())
    assert clips_in(to) and all(name.startswith(stays) for name in clips_in(to))
    made = [path for path in to.rglob("*") if path.is_file() and path.suffix in (".mp4", ".wav", ".tar")]
    assert made and not any(gone.encode() in path.read_bytes() or gone in path.name for path in made)


def test_a_shard_with_a_forgotten_clip_goes_even_if_it_cannot_be_made_anew(store, films, tmp_path):
    to, params = tmp_path / "to", ShardParams(size=64)
    assert all(told.failure is None for told in pack(store, to, "webdataset", params=params).carry_out())
    gone, stays = [*store]
    source = store[stays].folder / "recording.json"
    told = json.loads(source.read_text())
    source.write_text(json.dumps({**told, "source": "file:///nowhere.mp4"}))
    forget(store, gone)
    list(pack(store, to, "webdataset", params=params).carry_out())
    assert not any(gone.encode() in path.read_bytes() for path in to.glob("*.tar"))
