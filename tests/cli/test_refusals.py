"""What makes no sense is refused in one line, with exit code 2, before anything is made."""

import logging
import sys

import pytest

from phonoscope.cli.main import main
from phonoscope.cli.options import parse
from phonoscope.cli.prepare import Prepare
from phonoscope.cli.run import Run
from phonoscope.core.errors import UsageError
from phonoscope.flow.ingest import GIVEN
from phonoscope.job import params_from
from phonoscope.store.folder import Store


def refused(arguments, capsys) -> str:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize(
    ("fps", "said"),
    [
        ("0", "clock.fps must be above 0, got 0"),
        ("-25", "clock.fps must be above 0, got -25"),
        ("1/0", "'1/0' is no fraction; write 25 or 30000/1001"),
        ("fast", "'fast' is no fraction"),
        ("23.976023976023976", "write 24000/1001"),
        ("29.970029970029970", "write 30000/1001"),
    ],
)
def test_an_impossible_rate_makes_no_store(tmp_path, capsys, fps, said):
    store, config = tmp_path / "s", tmp_path / "c.toml"
    config.write_text(f'[clock]\nfps = "{fps}"\n')
    for verb in ("prepare", "ingest"):
        assert said in refused([verb, "a.mp4", "--to", str(store), f"--clock.fps={fps}"], capsys)
    assert said in refused(["prepare", "a.mp4", "--to", str(store), "--config", str(config)], capsys)
    assert not store.exists()


IMPOSSIBLE = [
    ("clock.sample-rate", "0"), ("clock.sample-rate", "1000000"), ("faces.every", "0"), ("faces.size", "31"),
    ("faces.min-score", "1.5"), ("faces.jump", "-1"), ("faces.min-score", "nan"), ("tracks.max-gap", "-1"),
    ("tracks.min-len", "0"), ("tracks.min-iou", "2"), ("tracks.min-size", "-1"), ("crops.size", "-1"),
    ("crops.expand", "nan"), ("thumbs.quality", "0"), ("thumbs.quality", "101"), ("thumbs.size", "0"),
    ("crop-video.size", "0"), ("crop-video.size", "225"), ("crop-video.crf", "52"), ("mfcc.rows-per-frame", "-1"),
    ("asd.piece", "0"), ("shots.adaptive-window", "0"), ("shots.content", "-1"), ("shots.fade", "256"),
]  # fmt: skip


def test_a_model_of_a_missing_extra_is_one_line_before_any_work(puppets, tmp_path, capsys, monkeypatch):
    store = str(tmp_path / "s")
    assert main(["ingest", str(puppets), "--to", store]) == 0
    monkeypatch.setitem(sys.modules, "dlib", None)
    pip = "pip install 'phonoscope[dlib]'"
    assert f"dlib128 needs dlib: {pip}" in refused(["run", "embeddings", store], capsys)
    assert f"dlib68 needs dlib: {pip}" in refused(["run", "landmarks", store, "--landmarks.model", "dlib68"], capsys)
    more = ["prepare", str(puppets), "--to", store, "--want", "people", "--embeddings.model", "dlib128"]
    assert pip in refused(more, capsys)
    assert {*Store(store)["puppets"].receipts} == {*GIVEN}


@pytest.mark.parametrize(("setting", "value"), IMPOSSIBLE)
def test_an_impossible_setting_makes_no_store(tmp_path, capsys, setting, value):
    said = refused(["prepare", "a.mp4", "--to", str(tmp_path / "s"), f"--{setting}={value}"], capsys)
    name = setting.replace("-", "_")
    assert f"{name} must be" in said and f"got {value}" in said and not (tmp_path / "s").exists()
    section, _, key = name.partition(".")
    with pytest.raises(UsageError, match=f"{name} must be"):
        params_from({section: {key: float(value) if "." in value or value == "nan" else int(value)}})


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
@pytest.mark.parametrize(("name", "maker"), [("mesh", "mesh"), ("pose", "landmarks"), ("motion", "landmarks")])
def test_what_needs_depth_is_refused_with_a_flat_landmarker_before_anything_is_fetched(
    puppets, tmp_path, capsys, name, maker, more
):
    flat = ["--want", name, f"--{maker}.model", "dlib68"]
    said = refused(["prepare", str(puppets), "--to", str(tmp_path / "s"), *flat, *more], capsys)
    assert f"'{name}' needs a landmarker that sees depth, which 'dlib68' does not: leave --{maker}.model away" in said


def test_gaps_longer_than_are_bridged_are_warned_of_once(puppets, tmp_path, caplog):
    arguments = ["prepare", str(puppets), "--to", str(tmp_path / "s"), "--dry-run", "--faces.every"]
    with caplog.at_level(logging.WARNING):
        assert main([*arguments, "16"]) == 0 and "fall apart" not in caplog.text
        assert main([*arguments, "17"]) == 0 and caplog.text.count("fall apart") == 1


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_store_is_made_in_no_file_and_among_no_other_things(puppets, tmp_path, capsys, more):
    (tmp_path / "file").touch()
    for to in ("file", "file/store"):
        said = refused(["prepare", str(puppets), "--to", str(tmp_path / to), *more], capsys)
        assert f"'{tmp_path / 'file'}' is a file" in said
    assert "other things" in refused(["prepare", str(puppets), "--to", str(tmp_path), *more], capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "words",
    [
        "a.mp4 --to s --want mfcc vad --want crop_video --want=asd",
        "--want mfcc vad --to s --want=crop_video a.mp4 --want asd",
        "--want=mfcc a.mp4 --want vad crop_video --to s --want asd",
        "--to s --want mfcc --want vad --want crop_video --want asd -- a.mp4",
    ],
)
def test_a_repeated_option_adds_up(words):
    options, _ = parse(Prepare, words.split())
    assert (options.films, options.want) == (("a.mp4",), ("mfcc", "vad", "crop_video", "asd"))


def test_recordings_named_one_by_one_add_up():
    options, _ = parse(Run, ["tracks", "s", "--only", "a", "b", "--only", "c"])
    assert options.names == ("tracks", "s") and options.only == ("a", "b", "c")


@pytest.mark.parametrize("film", ["film.mp4", "interviews"])
def test_what_an_option_has_eaten_is_said(tmp_path, monkeypatch, capsys, film):
    monkeypatch.chdir(tmp_path)
    for folder in ("interviews", "crop_video"):
        (tmp_path / folder).mkdir()
    said = refused(["prepare", "--to", "s", "--want", "crop_video", film], capsys)
    assert f"nothing makes '{film}'; films go before --want" in said
    assert "the store, both before --only" in refused(["run", "tracks", "--only", "talk", "films"], capsys)
