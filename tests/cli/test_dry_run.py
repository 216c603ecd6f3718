"""`prepare --dry-run` says what `prepare` would do, and does nothing."""

import json
import os
import shutil

import pytest

from phonoscope.cli.main import main
from phonoscope.testing.quick import fingerprint


def everything(folder):
    """Every file and folder, with its content and time of change."""
    files = sorted(folder.rglob("*"))
    return {path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in files}


def foretold(film, store, capsys, *more) -> dict:
    before = everything(store.parent)
    code = main(["prepare", str(film), "--to", str(store), "--dry-run", "--json", *more])
    assert everything(store.parent) == before
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert code == (told["state"] == "would fail")
    return told


@pytest.fixture
def film(puppets, tmp_path):
    return shutil.copy(puppets, tmp_path / "two puppets.mp4")


def test_what_is_foretold_is_what_is_made(film, tmp_path, capsys):
    store, quick = tmp_path / "s", ["--want", "mfcc"]
    assert main(["ingest", str(film), "--to", str(store)]) == 0
    (store / "index.parquet").unlink()
    capsys.readouterr()
    told = foretold(film, store, capsys, *quick)
    assert main(["prepare", str(film), "--to", str(store), "--json", "--no-report", *quick]) == 0
    made = json.loads(capsys.readouterr().out.splitlines()[0])["made"]
    assert sorted(told["make"]) == sorted(made) and told["keep"] == []
    assert foretold(film, store, capsys, *quick)["make"] == []


def test_a_film_that_changed_is_another_and_one_only_touched_is_not(film, silent_puppet, tmp_path, capsys):
    store = tmp_path / "s"
    assert main(["ingest", str(film), "--to", str(store)]) == 0
    recordings = fingerprint(store)
    capsys.readouterr()
    os.utime(film, ns=(1, 1))
    assert "clock" not in foretold(film, store, capsys)["make"]
    shutil.copy(silent_puppet, film)
    assert {"recording", "clock"} <= {*foretold(film, store, capsys)["make"]}
    (store / "recordings").joinpath(next(iter(recordings)).split("/")[1], "clock.parquet").unlink()
    assert "clock" in foretold(film, store, capsys)["make"]


def test_what_would_fail_is_foretold(film, tmp_path, capsys):
    store = tmp_path / "s"
    assert foretold("nowhere.mp4", store, capsys)["reason"] == "missing"
    assert main(["ingest", str(film), "--to", str(store), "--timeout", "0.001"]) == 1
    capsys.readouterr()
    told = foretold(film, store, capsys)
    assert told["reason"] == "timeout" and "--retry-failed" in told["message"]
    assert foretold(film, store, capsys, "--retry-failed")["state"] == "would"
    assert main(["prepare", str(film), "--to", str(store), "--dry-run"]) == 1
    assert "two puppets.mp4: would fail: timeout: as it did before" in capsys.readouterr().out


def test_another_clock_is_refused_as_prepare_would(film, tmp_path, capsys):
    assert main(["ingest", str(film), "--to", str(tmp_path / "s")]) == 0
    capsys.readouterr()
    arguments = ["prepare", str(film), "--to", str(tmp_path / "s"), "--clock.fps", "30"]
    assert main(arguments) == main([*arguments, "--dry-run"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == second and "keeps 25 frames" in first


def test_nothing_is_fetched_and_what_would_be_is_said(film, tmp_path, capsys, caplog, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_HOME", str(tmp_path / "empty"))
    monkeypatch.delenv("PHONOSCOPE_MODELS", raising=False)
    assert "faces" in foretold(film, tmp_path / "s", capsys)["make"]
    assert "the weights of yunet are not here and would be fetched" in caplog.text
