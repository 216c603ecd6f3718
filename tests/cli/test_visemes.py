"""`phonoscope visemes`."""

import json
import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors.numpy import save_file

from phonoscope import Store
from phonoscope.cli.main import main
from phonoscope.core.series import Series
from phonoscope.core.visemes import VISEMES
from phonoscope.data import viseme_job
from phonoscope.data.viseme_formats import FORMATS, read_visemes
from phonoscope.models import registry
from phonoscope.models.viseme_graph import entries
from phonoscope.store.receipts import Receipt
from phonoscope.testing.fakes import FakeVisemes


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch) -> Path:
    """An empty folder that we are in; what listens takes every loud 10 ms for an open mouth."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(viseme_job, "choose", lambda kind, name: name)
    monkeypatch.setattr(viseme_job, "load", lambda name: FakeVisemes())
    return tmp_path


def tone(path: str, seconds: float = 1.0, rate: int = 16000, channels: int = 1, subtype: str | None = None) -> str:
    """A sound that is silent in its first half and loud in its second."""
    sound = 0.3 * np.sin(np.arange(round(seconds * rate)) * 0.1)
    sound[: len(sound) // 2] = 0
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.repeat(sound[:, None], channels, 1), rate, subtype)
    return path


def test_one_sound_in_one_format_goes_to_standard_output(capsys):
    assert main(["visemes", tone("talk.wav"), "--as", "rhubarb-tsv"]) == 0
    told = capsys.readouterr()
    assert told.out == "0.00\tX\n0.50\tD\n1.00\tX\n"
    assert told.err == ""


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_and_lasts_as_long_as_the_sound(name):
    assert main(["visemes", tone("a b/talk.wav"), "--as", name, "--to", "made/here"]) == 0
    (path,) = Path("made/here").iterdir()
    assert path.name == f"talk{FORMATS[name].suffix}"
    track = read_visemes(path, name)
    assert float(track.rows / track.rate) == pytest.approx(1.0, abs=0.05)
    assert {VISEMES[value] for value in track.values} >= {"sil", "aa"}


@pytest.mark.parametrize(
    ("file", "rate", "channels", "subtype"),
    [
        ("a.wav", 8000, 1, "PCM_16"), ("a.wav", 48000, 2, "PCM_24"), ("a.wav", 44100, 2, "FLOAT"),
        ("a.wav", 11025, 1, "PCM_U8"), ("a.wav", 16000, 6, "PCM_16"), ("a.flac", 48000, 1, None),
        ("a.ogg", 44100, 2, None), ("a.mp3", 16000, 1, None),
    ],
)  # fmt: skip
def test_sound_is_heard_whatever_its_rate_channels_and_bits(file, rate, channels, subtype, capsys):
    assert main(["visemes", tone(file, 1.0, rate, channels, subtype), "--as", "rhubarb-tsv"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [shape for _, shape in lines] == ["X", "D", "X"]
    assert [float(time) for time, _ in lines] == pytest.approx([0, 0.5, 1.0], abs=0.08)


def test_a_film_is_heard_on_the_clock_of_its_pictures(puppets, capsys):
    assert main(["visemes", str(puppets), "--as", "oculus-json", "--to", "made"]) == 0
    track = read_visemes("made/two puppets.oculus.json", "oculus-json")
    assert track.rows == 400


def test_several_formats_in_one_go_and_what_is_there_is_kept(capsys):
    command = ["visemes", tone("talk.wav"), "--as", "srt", "--as=moho-dat", "--to", "made"]
    assert main(command) == 0
    assert capsys.readouterr().out == "talk: 1.0 s, made/talk.srt, made/talk.dat\n"
    Path("made/talk.srt").write_text("mine")
    assert main(command) == 0
    assert Path("made/talk.srt").read_text() == "mine"
    assert "made/talk.srt kept (--force writes it anew)" in capsys.readouterr().out
    assert main([*command, "--force"]) == 0
    assert Path("made/talk.srt").read_text() != "mine"
    assert sorted(path.name for path in Path("made").iterdir()) == ["talk.dat", "talk.srt"], "no part is left"


def test_sounds_of_one_name_get_names_of_their_own():
    for path in ("a/talk.wav", "b/talk.wav", "c/TALK.wav", "c/talk-2.wav"):
        tone(path)
    assert main(["visemes", "a", "b", "c", "--as", "srt", "--to", "made"]) == 0
    assert sorted(path.name for path in Path("made").iterdir()) == [
        "TALK-4.srt", "talk-2.srt", "talk-3.srt", "talk.srt",
    ]  # fmt: skip


def test_a_preview_makes_the_folder_that_it_lies_in():
    assert main(["visemes", tone("talk.wav"), "--preview", "made/here/talk.html"]) == 0
    assert Path("made/here/talk.html").stat().st_size > 10_000


def test_folders_in_a_folder_are_kept_apart():
    for path in ("spoken/de/0001.wav", "spoken/fr/0001.wav"):
        tone(path)
    assert main(["visemes", "spoken", "--as", "srt", "--to", "made"]) == 0
    made = sorted(str(path) for path in Path("made").rglob("*.srt"))
    assert made == ["made/de/0001.srt", "made/fr/0001.srt"], "which is whose does not hang on which others are there"


def test_one_that_fails_stops_no_other(capsys):
    tone("in/b.wav")
    Path("in/a.wav").write_bytes(b"no sound")
    Path("in/c.mp3").write_bytes(b"")
    Path("in/notes.md").write_text("passed over")
    soundfile.write("in/d.wav", np.zeros(0, np.float32), 16000)
    assert main(["visemes", "in", "gone.wav", "--as", "srt", "--to", "made"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["failed  a", "b", "failed  c", "failed  d", "failed  gone"]
    assert [path.name for path in Path("made").iterdir()] == ["b.srt"]


@pytest.mark.parametrize("samples", [1, 159, 160, 8000])
def test_silence_and_very_short_sounds_are_tracks_too(samples, capsys):
    soundfile.write("a.wav", np.zeros(samples, np.float32), 16000)
    assert main(["visemes", "a.wav", "--as", "rhubarb-tsv"]) == 0
    assert {line.split("\t")[1] for line in capsys.readouterr().out.splitlines()} == {"X"}


def test_a_dry_run_writes_nothing(capsys):
    tone("in/a.wav")
    Path("in/b.wav").write_bytes(b"no sound")
    assert main(["visemes", "in", "--as", "srt", "--to", "made", "--dry-run"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "a: 1.0 s: made/a.srt would be written" and told[1].startswith("failed  b: ")
    assert not Path("made").exists()


def test_settings_change_the_track(capsys):
    sound = 0.3 * np.sin(np.arange(16000) * 0.1)
    sound[7000:8600] = 0
    soundfile.write("a.wav", sound, 16000)
    assert main(["visemes", "a.wav", "--as", "rhubarb-tsv"]) == 0
    assert capsys.readouterr().out.count("X") == 1, "a pause of 0.1 s is bridged"
    assert main(["visemes", "a.wav", "--as", "rhubarb-tsv", "--visemes.pause-s", "0.08"]) == 0
    assert capsys.readouterr().out.count("X") == 2


def test_what_a_store_holds_is_taken_if_it_is_fresh(puppets, capsys):
    assert main(["ingest", str(puppets), "--to", "films"]) == 0
    (id,) = Store("films")
    stored = Store("films")[id]
    weights = np.zeros((400, 15), np.float32)
    weights[:, VISEMES.index("ou")] = 1
    inputs = {"audio": stored.receipts["audio"].key}
    stored.save(
        "visemes", Series(weights, Fraction(100), Fraction(1, 200)),
        Receipt(key="k", step="visemes", version=1, params={"model": "other"}, inputs=inputs),
    )  # fmt: skip
    assert main(["visemes", "films", "--as", "rhubarb-tsv", "--to", "made"]) == 0
    assert Path(f"made/{id}.rhubarb.tsv").read_text() == "0.00\tF\n4.00\tX\n"
    command = ["visemes", f"films/recordings/{id}", "--as", "rhubarb-tsv", "--to", "made", "--force"]
    assert main([*command, "--visemes.model", "fake"]) == 0
    assert "F" not in Path(f"made/{id}.rhubarb.tsv").read_text(), "another model was asked for"


def test_weights_of_your_own_listen_and_a_store_keeps_what_they_heard(monkeypatch, puppets, capsys):
    monkeypatch.setattr(viseme_job, "choose", registry.choose)
    monkeypatch.setattr(viseme_job, "load", registry.load)
    rng, mouths = np.random.default_rng(0), {"phonoscope": json.dumps({"network": "viseme-gru", "version": "ours"})}
    weights = {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in entries(16).items()}
    weights["told.bias"] = np.tile(20 * np.eye(len(VISEMES))[VISEMES.index("ou")], 2).astype(np.float32)
    Path("run").mkdir()
    save_file(weights, "run/weights.safetensors", mouths)
    for given in ("run", "run/weights.safetensors"):
        assert main(["visemes", tone("talk.wav"), "--as", "rhubarb-tsv", "--visemes.weights", given]) == 0
        assert capsys.readouterr().out == "0.00\tF\n1.00\tX\n"
    assert main(["prepare", str(puppets), "--to", "films", "--want", "visemes", "--visemes.weights", "run"]) == 0
    (id,) = Store("films")
    stored = Store("films")[id]
    assert set(stored.load("visemes").values.argmax(1)) == {VISEMES.index("ou")}
    assert str(stored.receipts["visemes"].card).startswith("viseme-gru@ours:")
    assert main(["visemes", "talk.wav", "--as", "rhubarb-tsv", "--visemes.weights", "nowhere/x.safetensors"]) == 2
    assert "there is no file of weights 'nowhere/x.safetensors'" in capsys.readouterr().err


def test_a_text_gives_words_and_phones(capsys):
    Path("words.txt").write_text("Ah, xyzzy!")
    Path("cmu.txt").write_text("AH AA1\nXYZ  EH1 K S\n")
    command = ["visemes", tone("talk.wav"), "--as", "textgrid", "--text", "words.txt", "--dictionary", "cmu.txt"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert [name in out for name in ('"visemes"', '"words"', '"phones"', '"xyzzy"', '"AA1"', '"spn"')] == [True] * 6


def test_unknown_words_are_named_in_one_line(caplog):
    Path("cmu.txt").write_text("AH AA1\n")
    command = [
        "visemes",
        tone("talk.wav"),
        "--as",
        "srt",
        "--dictionary",
        "cmu.txt",
        "--text",
        "Ah xyzzy ah plugh xyzzy",
    ]
    assert main(command) == 0
    (said,) = caplog.messages
    assert said == "not in the dictionary, shown as they are heard: xyzzy, plugh; give a --dictionary that has them"


@pytest.mark.skipif(sys.platform == "darwin", reason="there names are UTF-8, and the system says so")
def test_names_of_any_bytes_are_taken():
    Path("in").mkdir()
    Path(tone("a.wav")).rename(os.fsdecode(b"in/caf\xe9.wav"))
    assert main(["visemes", "in", "--as", "rhubarb-json", "--as", "rhubarb-xml", "--to", "made"]) == 0
    made = sorted(os.fsencode(path.name) for path in Path("made").iterdir())
    assert made == [b"caf\xe9.rhubarb.json", b"caf\xe9.rhubarb.xml"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--as", "srt"], 2, "no sound given"),
        (["a.wav"], 2, "say with --as in which format"),
        (["a.wav", "--as", "srtt"], 2, "no format 'srtt' of visemes; there are oculus-json"),
        (["a.wav", "--as", "srt", "--as", "moho-dat"], 2, "say with --to in which folder"),
        (["a.wav", "a.wav", "--as", "srt"], 2, "say with --to in which folder"),
        (["a.wav", "a.wav", "--as", "srt", "--to", "x", "--text", "b"], 2, "--preview and --text are for one sound"),
        (["a.wav", "--preview", "a.wav"], 2, "--preview is a page, so its name ends in .html, got 'a.wav'"),
        (["a.wav", "--as", "srt", "--visemes.min-hold-s", "-1"], 2, "visemes.min_hold_s must be"),
        (["a.wav", "--as", "srt", "--text", "b", "--dictionary", "none"], 2, "the dictionary 'none' cannot be read"),
        (["a.wav", "--as", "srt", "--text", "..."], 2, "--text has no words"),
        (["a.wav", "--as", "srt", "--text", "gone.txt"], 2, "there is no file 'gone.txt': give --text the words"),
        (["a.wav", "--as", "srt", "--dictionary", "cmu.txt"], 2, "--dictionary says how words are pronounced: give"),
        (["a.wav", "--as", "srt", "--fps", "0"], 2, "frames a second must be more than 0 and at most 1000, got 0"),
        (["a.wav", "--as", "arkit-csv", "--fps", "-3"], 2, "must be more than 0 and at most 1000, got -3"),
        (["a.wav", "--as", "vrm-json", "--fps", "1e9"], 2, "must be more than 0 and at most 1000, got 1000000000"),
        (["gone.wav", "--as", "srt"], 1, "there is no file gone.wav"),
        (["broken.wav", "--as", "srt"], 1, "broken.wav cannot be opened"),
        (["empty.wav", "--as", "srt"], 1, "empty.wav has no sound"),
        (["bare", "--as", "srt", "--to", "x"], 2, "'bare' holds no sound or film"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(arguments, code, said, capsys):
    tone("a.wav")
    Path("broken.wav").write_text("no sound")
    Path("bare").mkdir()
    soundfile.write("empty.wav", np.zeros(0, np.float32), 16000)
    before = sorted(Path().rglob("*"))
    assert main(["visemes", *arguments]) == code
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and error.startswith("phonoscope visemes: ")
    assert sorted(Path().rglob("*")) == before
