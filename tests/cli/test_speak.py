"""`phonoscope speak`."""

import pytest

from phonoscope.cli.main import main
from phonoscope.core.errors import UsageError
from phonoscope.data.espeak import speaking


@pytest.fixture
def espeak() -> None:
    try:
        speaking._library()
    except UsageError as error:
        pytest.skip(str(error))


def test_texts_become_pairs_in_every_voice(espeak, tmp_path, capsys):
    (tmp_path / "lines.txt").write_text("Hello, Bob.\nA map.\n", encoding="utf-8")
    command = ["speak", str(tmp_path / "lines.txt"), "One", "--to", str(tmp_path / "spoken"), "-j", "2"]
    assert main([*command, "--voice", "en-us", "--voice", "de+m3", "--rate", "200"]) == 0
    made = sorted(path.relative_to(tmp_path / "spoken").as_posix() for path in (tmp_path / "spoken").rglob("*.*"))
    assert made == [
        f"{voice}/000{n}.{end}" for voice in ("de+m3", "en-us") for n in (1, 2, 3) for end in ("TextGrid", "wav")
    ]
    out = capsys.readouterr().out.splitlines()
    assert [line.split(" s, ")[0].rsplit(",", 1)[0] for line in out] == ["en-us: 3 sounds", "de+m3: 3 sounds"]


def test_voices_are_listed(espeak, capsys):
    assert main(["speak", "--voices"]) == 0
    out = capsys.readouterr().out
    assert "cmn " in out and "variants, as in en-us+f3: " in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hi"], "say with --to in which folder"),
        (["--to", "x"], "there is nothing to say"),
        (["hi", "--to", "x", "-j", "0"], "--jobs is at least 1, got 0"),
        (["hi", "--to", "x", "--pitch", "200"], "pitch is 0 to 99, got 200"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["speak", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and list(tmp_path.iterdir()) == []
