import json
from pathlib import Path

import pytest

from phonoscope.cli.main import main


def test_a_dry_run_counts_and_fetches_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("url,start,stop\nhttps://a.example/x.mp4,0,30\nhttps://a.example/x.mp4,40,70\n")
    assert main(["fetch", "list", str(tmp_path / "list.csv"), "--to", str(tmp_path / "films"), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 film, 0 of them here before", "2 pieces, 1.0 minutes", "  a.example: 1",
    ]  # fmt: skip
    assert not (tmp_path / "films").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lists", "x.txt"], "no list of kind 'lists'; there are list, avspeech"),
        (["list", "nowhere.txt"], "there is no list 'nowhere.txt'"),
        (["hdtf", "."], "no list of HDTF's in '.'"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fetch", *arguments, "--to", "films"]) == 2
    assert said in (told := capsys.readouterr().err) and told.count("\n") == 1


def test_programs_get_a_line_of_json_a_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("yt_dlp")
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:9/x.mp4\n")  # where nobody answers
    assert main(["fetch", "list", str(tmp_path / "urls.txt"), "--to", str(tmp_path / "films"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["state"], told["type"]) == ("x", "failed", "network")
