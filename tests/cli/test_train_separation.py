"""`phonoscope train separation`: its settings, its refusals, and a run from a store to weights with a card."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from phonoscope.cli.main import main
from phonoscope.cli.train import Train
from phonoscope.cli.training import parse_training
from phonoscope.testing.talkers import VLOGS, talkers

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "tasks" / "separation"))
from test_material import save_rows  # noqa: E402


def parsed(*arguments: str):
    return parse_training(Train, ["separation", "films", "--to", "run", *arguments])


def test_defaults_are_the_papers_then_the_file_then_flags(tmp_path):
    options, model, settings = parsed()
    assert (model, options.to, settings["objective"].objective) == ("compact", Path("run"), "si-sdr")
    _, model, settings = parsed("--separation.model", "looking-to-listen")
    assert (settings["learning"].lr, settings["examples"].batch) == (1e-5, 2)
    file = tmp_path / "mine.toml"
    file.write_text('[separation]\nmodel = "audio-only"\n[train]\nepochs = 7\nsnr-db = [-3.0, 3.0]\nbatch = 3\n')
    _, model, settings = parsed("--config", str(file), "--epochs", "4")
    assert (model, settings["learning"].epochs, settings["learning"].lr) == ("audio-only", 4, 5e-5)
    assert (settings["examples"].snr_db, settings["examples"].batch) == ((-3.0, 3.0), 3)
    assert parsed("--config", str(file), "--snr-db", "0", "1")[2]["examples"].snr_db == (0.0, 1.0)
    examples = parsed("--noise", "babble", "--noise-db", "3", "9", "--responses", "rooms")[2]["examples"]
    assert (examples.noise, examples.noise_db, examples.responses) == ("babble", (3.0, 9.0), "rooms")


def test_a_blind_network_may_give_its_voices_in_any_order(tmp_path):
    _, _, settings = parsed("--blind")
    assert settings["network"].blind and settings["objective"].any_order
    file = tmp_path / "mine.toml"
    file.write_text("[train]\nblind = true\n")
    _, _, settings = parsed("--config", str(file))
    assert settings["network"].blind and settings["objective"].any_order


def test_every_setting_is_in_the_help(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "separation", "--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    wanted = ("--separation.model", "--snr-db", "--lr-steps", "--gamma", "--any-order", "--blind", "--frames", "--hide")
    assert [name for name in wanted if name not in said] == []


def refused(capsys, *arguments: str) -> str:
    assert main(["train", "separation", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_what_cannot_be_is_one_line(capsys, tmp_path):
    to = ("--to", str(tmp_path / "run"))
    assert "is no store" in refused(capsys, str(tmp_path / "films"), *to)
    assert "no network 'tacit' to train" in refused(capsys, "films", *to, "--separation.model", "tacit")
    assert "train.speakers must be 2 or more" in refused(capsys, "films", *to, "--speakers", "1")
    assert "train.lr_steps" in refused(capsys, "films", *to, "--lr-steps", "6")
    store = talkers(tmp_path / "films", {"training/ana/talk": 60})
    assert "it has no lips: `phonoscope run lips" in refused(capsys, str(store.root), *to)
    save_rows(store, "lips")
    assert "has 1 speaker in the split 'training'" in refused(capsys, str(store.root), *to)
    assert not (tmp_path / "run").exists()


def test_a_dry_run_says_how_much_there_is_and_writes_nothing(capsys, tmp_path):
    store = talkers(tmp_path / "films", VLOGS)
    save_rows(store, "lips")
    assert main(["train", "separation", str(store.root), "--to", str(tmp_path / "run"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "compact, 2 voices, lips by mouth@1" in said and "training   3 people" in said
    assert not (tmp_path / "run").exists()


def test_a_run_leaves_weights_with_a_card_and_goes_on(capsys, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from stand_in import Mouths

    from phonoscope.tasks.separation.networks import registry

    monkeypatch.setitem(
        registry.NETWORKS, "compact", registry.Entry(f"{Mouths.__module__}:Mouths", "voices", "lips")
    )  # fmt: skip
    store = talkers(tmp_path / "films", VLOGS)
    save_rows(store, "lips", width=3)
    more = ("--mixtures", "4", "--judged", "3", "--frames", "20", "--batch", "2", "--licence", "CC BY 4.0")
    run = tmp_path / "run"
    begin = ["train", "separation", str(store.root), "--to", str(run), *more]
    assert main([*begin, "--epochs", "1"]) == 0
    assert main([*begin, "--epochs", "2"]) == 0
    said = capsys.readouterr().out
    assert "epoch   2" in said and "si_sdri_db" in said
    assert main(["models", "card", str(run)]) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["network"], about["shape"], about["lips"], about["stretch"]) == ("compact", {"lips": 3}, "mouth", 20)
    assert about["licence"] == "CC BY 4.0" and about["trained_on"]["speakers"] == 3
    assert set(about["figures"]) == {"validation", "test"} and "SI-SDRi" in about["notes"]
    assert np.isfinite(about["figures"]["test"]["si_sdri_db"])
    assert main(["evaluate", "separation", str(run), str(store.root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["si_sdri_db"] == pytest.approx(about["figures"]["test"]["si_sdri_db"], abs=1e-6)
    assert (found["mixtures"], found["voices"], found["people"]["speakers"]) == (3, 6, 2)
    assert main(["evaluate", "separation", str(run), str(store.root), "--split", "training"]) == 0
    said = capsys.readouterr().out
    assert "compact, training: 3 mixtures of 3 people" in said and "shown the film of other people" in said
    assert main([*begin[:3], "--to", str(tmp_path / "next"), *more, "--epochs", "1", "--init", str(run)]) == 0
    capsys.readouterr()
    assert "frames = 20, not 30" in refused(capsys, *begin[2:], "--frames", "30")
    for arguments, said in (
        ((str(run),), "a store is wanting"),
        ((str(run), str(store.root), "--split", "dev"), "no split 'dev'"),
        ((str(tmp_path / "no"), str(store.root)), "there is no file of weights"),
    ):
        assert main(["evaluate", "separation", *arguments]) == 2
        assert said in capsys.readouterr().err
