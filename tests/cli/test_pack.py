"""`phonoscope pack`."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from phonoscope.cli.main import main
from phonoscope.cli.options import parse
from phonoscope.cli.pack import Pack
from phonoscope.data.pack import LAYOUTS, TalkingFaceParams
from phonoscope.store.folder import Store
from phonoscope.testing.known import known_store, save_asd
from phonoscope.testing.puppet import film, one_head, two_heads_taking_turns


@pytest.fixture(scope="module")
def taken(tmp_path_factory) -> Path:
    """A folder with a store of two films, `films`, and the films; not to be written to."""
    root = tmp_path_factory.mktemp("taken")
    for name, scene, codec in (("pair", two_heads_taking_turns(0.8), "aac"), ("mute", one_head(0.6), None)):
        known_store(film(root / f"{name}.mp4", scene, audio_codec=codec), scene, root / "films")
    return root


@pytest.fixture
def films(taken, tmp_path, monkeypatch) -> Store:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(taken / "films", "films")
    return Store("films")


def test_it_says_what_it_packed_and_the_second_time_that_it_kept_it(films, capsys):
    mute, pair = films
    assert main(["pack", "films", "--as", "talking-face", "--to", "heads"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{mute}: 1 packed",
        f"{pair}: 2 packed",
        "heads: 3 packed; heads/clips.csv lists all that is there",
    ]
    assert main(["pack", "films", "--as", "talking-face", "--to", "heads"]) == 0
    assert "heads: 3 kept" in capsys.readouterr().out


@pytest.mark.parametrize("layout", ["clips", "webdataset"])
def test_a_bucket_is_no_place_to_pack_into(films, capsys, layout):
    assert main(["pack", "films", "--as", layout, "--to", "s3://bucket/heads"]) == 2
    said = "--to wants a folder on this machine, got 's3://bucket/heads': write into one, then copy it there"
    assert said in (told := capsys.readouterr().err) and told.count("\n") == 1
    assert not Path("s3:").exists()


def test_what_the_store_lacks_is_named_with_the_command_that_makes_it(films, capsys):
    for id in films:
        films[id].forget("landmarks")
    assert main(["pack", "films", "--as", "talking-face", "--to", "heads", "--only", "pair", "--dry-run"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-2] == "heads: 2 would be packed"
    assert "without landmarks, pose, " in told[-1] and "`phonoscope run landmarks pose films` makes them" in told[-1]
    assert not Path("heads").exists()


def test_settings_reach_the_layout(films):
    arguments = ["--expand", "0", "--float", "--missing", "nan", "--only", "mute"]
    assert main(["pack", "films", "--as", "talking-face", "--to", "heads", *arguments]) == 0
    (text,) = Path("heads/specified_formats/videos/landmarks").iterdir()
    assert "." in text.read_text().split()[1]
    assert main(["pack", "films", "--as", "talking-face", "--to", "wide", "--only", "mute"]) == 0
    sides = [int(Path(f"{it}/clips.csv").read_text().splitlines()[1].split(",")[-1]) for it in ("heads", "wide")]
    assert sides[1] == pytest.approx(1.6 * sides[0], abs=4)


def test_a_film_that_is_gone_is_one_line_and_exit_code_1(taken, films, capsys):
    (taken / "mute.mp4").rename(taken / "elsewhere.mp4")
    try:
        assert main(["pack", "films", "--as", "talking-face", "--to", "heads"]) == 1
    finally:
        (taken / "elsewhere.mp4").rename(taken / "mute.mp4")
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("failed  mute-") and "missing: there is no file" in told[0]
    assert told[-1] == "heads: 2 packed; heads/clips.csv lists all that is there; 1 of 2 recordings failed"


def test_programs_get_a_line_of_json_a_recording(films, capsys):
    assert main(["pack", "films", "--as", "talking-face", "--to", "heads", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["recording"] for line in lines] == [*films] and [len(line["made"]) for line in lines] == [1, 2]


def test_shards_share_the_recordings(films, capsys):
    for part in ("1/2", "2/2"):
        assert main(["pack", "films", "--as", "talking-face", "--to", "heads", "--shard", part]) == 0
    assert len(Path("heads/clips.csv").read_text().splitlines()) == 1 + 3


def test_the_page_tells_the_defaults_of_the_code():
    page = Path(__file__).parents[2] / "docs" / "layouts" / "talking-face.md"
    said = dict(re.findall(r"^\| `(--\w+)` \| .* \| `(.+?)` \| .+ \|$", page.read_text(encoding="utf-8"), re.MULTILINE))
    made, verb = TalkingFaceParams(), parse(Pack, ["films", "--as", "talking-face", "--to", "heads"], False)[0]
    assert said == {"--expand": str(made.expand), "--float": str(made.sub_pixel), "--missing": made.missing}
    assert made == TalkingFaceParams(expand=verb.expand, sub_pixel=verb.sub_pixel, missing=verb.missing)


@pytest.mark.parametrize("layout", sorted({*LAYOUTS} - {"talking-face"}))
def test_the_page_of_a_layout_tells_its_settings(layout):
    page = (Path(__file__).parents[2] / "docs" / "layouts" / f"{layout}.md").read_text(encoding="utf-8")
    said = re.findall(rf"^\| `--{layout}\.([\w-]+)` \| .* \| `(.+?)` \| .+ \|$", page, re.MULTILINE)
    made = LAYOUTS[layout].params()
    wanted = {name.replace("_", "-"): str(getattr(made, name)) or '""' for name in made.__dataclass_fields__}
    assert dict(said) == wanted


def test_options_reach_their_layout_and_no_other(films, capsys):
    for id in films:
        tracks = films[id].load("tracks")
        save_asd(films[id], {track.id: np.linspace(-1, 1, len(track)) for track in tracks})
    assert main(["pack", "films", "--as", "rttm", "--to", "turns", "--rttm.threshold", "0.5"]) == 0
    few = Path("turns/all.rttm").read_text()
    assert main(["pack", "films", "--as", "rttm", "--to", "more", "--rttm.threshold", "-0.5"]) == 0
    assert [len(it.splitlines()) for it in (few, Path("more/all.rttm").read_text())] == [1, 2]
    told = capsys.readouterr().out
    assert "left out (it has no sound, so nobody speaks)" in told and "turns: 1 packed, 1 left out" in told
    assert main(["pack", "films", "--as", "rttm", "--to", "x", "--overlay.crf", "30"]) == 2
    assert "options of overlay were given, but what is asked for is --as rttm" in capsys.readouterr().err
    assert main(["pack", "films", "--as", "ava-csv", "--to", "x", "--expand", "1"]) == 2
    assert not Path("x").exists()


@pytest.mark.parametrize("layout", ["clips", "lhotse", "webdataset", "parquet", "hf"])
def test_layouts_of_trainers_have_settings_of_their_own(films, capsys, layout):
    arguments = ["pack", "films", "--as", layout, "--to", "to", f"--{layout}.no-film", f"--{layout}.size", "64"]
    assert main(arguments) == 0
    assert "to: 3 packed; to/clips.csv lists all that is there" in capsys.readouterr().out.splitlines()
    assert main(arguments) == 0
    assert "to: 3 kept" in capsys.readouterr().out
    assert main(["pack", "films", "--as", "rttm", "--to", "x", f"--{layout}.size", "64"]) == 2
    assert main(["pack", "films", "--as", layout, "--to", "x", f"--{layout}.size", "63"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--to", "heads"], "no store at 'nowhere'"),
        (["films", "--to", "films"], "other things in it"),
        (["films", "--to", "heads", "--clips", "clips.parquet"], "there is no file 'clips.parquet'"),
        (["films", "--to", "heads", "--expand", "-1"], "expand must be from 0 to 100, got -1"),
        (["films", "--to", "heads", "--only", "nobody"], "no 'nobody'"),
        (["films", "--to", "heads", "--shard", "3/2"], "there is no part 3 of 2"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(films, capsys, arguments, said):
    assert main(["pack", *arguments, "--as", "talking-face"]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not Path("heads").exists()
