"""Rows of clips, read back by PyArrow, by Hugging Face's `datasets`, and their bytes by PyAV and libsndfile."""

import io

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from phonoscope.core.time import Span
from phonoscope.data.pack import ShardParams, pack
from phonoscope.testing.packs import tree


def packed(store, to, layout, params):
    assert all(told.failure is None for told in pack(store, to, layout, params=params).carry_out())
    return to


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))


def test_a_row_is_a_clip_with_all_that_is_known_of_it(store, tmp_path):
    to = packed(store, tmp_path / "to", "parquet", ShardParams(size=64))
    rows = [row for path in sorted(to.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    assert len(rows) == 3 and sorted(row["clip"] for row in rows) == [row["clip"] for row in rows]
    for row in rows:
        span = Span(row["start_frame"], row["stop_frame"])
        with av.open(io.BytesIO(row["mp4"])) as film:
            assert sum(1 for _ in film.decode(video=0)) == len(span)
        assert np.array(row["landmarks"]).shape == (len(span), 136)
        if not row["samples"]:
            assert row["wav"] is None and row["mfcc"] is None and row["speaking"] is None
            continue
        np.testing.assert_array_equal(
            soundfile.read(io.BytesIO(row["wav"]), dtype="float32")[0], store[row["recording"]].audio(span)
        )
        assert np.array(row["mfcc"], np.float32)[:, 0].tolist() == [*range(4 * span.start, 4 * span.stop)]
        assert row["speaking"] == [{"start": 0, "stop": 15, "start_s": 0.0, "stop_s": 0.6}]


@pytest.mark.parametrize("layout", ["parquet", "hf"])
def test_made_twice_the_bytes_are_the_same(two_films, tmp_path, layout):
    to, again = (packed(two_films, tmp_path / it, layout, ShardParams(size=64, film=False)) for it in ("to", "again"))
    assert tree(to) == tree(again)


def test_without_films_their_column_is_empty(two_films, tmp_path):
    to = packed(two_films, tmp_path / "to", "parquet", ShardParams(film=False))
    assert [it for path in to.glob("*.parquet") for it in pq.read_table(path)["mp4"].to_pylist()] == [None] * 3


def test_load_dataset_reads_the_folder_with_its_features(two_films, tmp_path, offline):
    import datasets

    to = packed(two_films, tmp_path / "to", "hf", ShardParams(size=64))
    splits = datasets.load_dataset(str(to), cache_dir=str(tmp_path / "cache"))
    rows = [row for it in splits.values() for row in _bytes_of(it)]
    assert len(rows) == 3 and all(row["split"] == str(name) for name, it in splits.items() for row in _bytes_of(it))
    first = rows[0]
    assert first["audio"]["path"] == f"{first['clip']}.wav" and first["video"]["path"] == f"{first['clip']}.mp4"
    assert soundfile.info(io.BytesIO(first["audio"]["bytes"])).frames == first["samples"]
    with av.open(io.BytesIO(first["video"]["bytes"])) as film:
        assert sum(1 for _ in film.decode(video=0)) == first["frames"]
    assert np.array(first["mfcc"]).shape == (4 * first["frames"], 13)


def _bytes_of(split):
    import datasets

    assert isinstance(split.features["audio"], datasets.Audio) and isinstance(split.features["video"], datasets.Video)
    raw = split.cast_column("audio", datasets.Audio(decode=False)).cast_column("video", datasets.Video(decode=False))
    return [*raw]


def test_the_card_tells_how_much_there_is_under_which_licence(two_films, tmp_path):
    card = (packed(two_films, tmp_path / "to", "hf", ShardParams(film=False)) / "README.md").read_text()
    assert card.startswith("---\nlicense: other\nconfigs:\n") and "path: data/train-*.parquet" in card
    assert "| not known | 3 |" in card
