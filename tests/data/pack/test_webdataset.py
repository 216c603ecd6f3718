"""Tar shards, read back by WebDataset itself."""

import io
import json
import tarfile

import numpy as np
import pytest
import soundfile

from phonoscope.data.pack import ClipsParams, ShardParams, pack
from phonoscope.testing.packs import tree

left_open = pytest.mark.filterwarnings(  # WebDataset leaves it to Python to close its files
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def packed(store, to, layout, params):
    assert all(told.failure is None for told in pack(store, to, layout, params=params).carry_out())
    return to


@left_open
def test_webdataset_reads_what_plain_clips_are(two_films, tmp_path):
    import webdataset

    to = packed(two_films, tmp_path / "to", "webdataset", ShardParams(size=64))
    plain = tree(packed(two_films, tmp_path / "plain", "clips", ClipsParams(size=64)))
    shards = [str(to / it["file"]) for it in json.loads((to / "manifest.json").read_text())["shards"]]
    read = [*webdataset.WebDataset(shards, shardshuffle=False)]
    assert [it["__key__"] for it in read] == sorted({it.split("/")[1].split(".")[0] for it in plain if "/" in it})
    for sample in read:
        split = json.loads(sample["json"])["split"]
        mine = {ending: content for ending, content in sample.items() if not ending.startswith("__")}
        assert {f"{split}/{sample['__key__']}.{ending}" for ending in mine} == {
            path for path in plain if path.startswith(f"{split}/{sample['__key__']}.")
        }
        assert all(plain[f"{split}/{sample['__key__']}.{ending}"] == content for ending, content in mine.items())


@left_open
def test_webdataset_decodes_it(two_films, tmp_path):
    import webdataset

    to = packed(two_films, tmp_path / "to", "webdataset", ShardParams(size=64, film=False))
    shards = sorted(str(path) for path in to.glob("*.tar"))
    first = next(iter(webdataset.WebDataset(shards, shardshuffle=False).decode()))
    page, rows = first["json"], first["mfcc.npy"]
    assert page["frames"] == 30 and rows.shape == (4 * 30, 13) and rows.dtype == np.float32
    assert soundfile.info(io.BytesIO(first["wav"])).frames == page["samples"] == 19200


def test_tars_say_nothing_of_who_made_them_and_when(two_films, tmp_path):
    params = ShardParams(size=64)
    to, again = (packed(two_films, tmp_path / it, "webdataset", params) for it in ("to", "again"))
    assert tree(to) == tree(again)
    with tarfile.open(next(to.glob("*.tar"))) as tar:
        assert {(it.mtime, it.uid, it.gid, it.uname, it.mode) for it in tar} == {(0, 0, 0, "", 0o644)}
