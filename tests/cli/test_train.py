"""`phonoscope train` and `evaluate`: what they say, what they refuse, and the whole route on puppets."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from phonoscope import Store
from phonoscope.cli.main import main
from phonoscope.cli.train import Train
from phonoscope.cli.training import parse_training
from phonoscope.job import params_from
from phonoscope.store.folder import StoreSettings
from phonoscope.tasks.asd.judging import judge_of
from phonoscope.tasks.asd.material import material_of
from phonoscope.tasks.asd.params import ExamplesParams

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_TORCH = """
import sys
from importlib.machinery import PathFinder

found = PathFinder.find_spec
PathFinder.find_spec = staticmethod(lambda name, *more: found(name, *more) if name[:5] != "torch" else None)
from phonoscope.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
SWAHILI = ROOT / "configs" / "asd" / "swahili.toml"


def parsed(*arguments: str):
    return parse_training(Train, ["asd", "films", "--to", "run", *arguments])


def refused(capsys, *arguments: str) -> str:
    assert main(["train", "asd", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_defaults_are_the_papers_then_the_file_then_flags(tmp_path):
    assert parsed()[2]["learning"].lr == 1e-3
    assert parsed("--asd.model", "talknet")[2]["learning"].lr == 1e-4
    assert parsed("--asd.model=talknet")[2]["examples"].batch_frames == 2500
    file = tmp_path / "mine.toml"
    file.write_text('[asd]\nmodel = "light-asd"\n[train]\nepochs = 7\nbatch-frames = 99\n')
    options, model, settings = parsed("--config", str(file), "--epochs", "3")
    assert model == "light-asd" and options.to == Path("run")
    assert (settings["learning"].epochs, settings["learning"].lr) == (3, 1e-3)
    assert settings["examples"].batch_frames == 99


def test_the_mode_of_seed_001s_network_is_a_setting_as_any_other(tmp_path):
    assert parsed("--asd.model", "ava-asd")[2]["network"].mode == "s_av"
    assert parsed("--asd.model", "ava-asd", "--mode", "s_v")[2]["network"].mode == "s_v"
    file = tmp_path / "mine.toml"
    file.write_text('[asd]\nmodel = "ava-asd"\n[train]\nmode = "s_av_fc"\n')
    assert parsed("--config", str(file))[2]["network"].mode == "s_av_fc"
    assert parsed("--config", str(file), "--mode", "s_a")[2]["network"].mode == "s_a"


def test_fine_tuning_has_defaults_of_its_own():
    assert parsed("--init", "ava")[2]["learning"].epochs == 10
    assert parsed("--init", "ava", "--epochs", "4")[2]["learning"].epochs == 4


def test_every_hyper_parameter_is_in_the_help(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--asd.model", "light-asd", "--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    for name in (
        "--epochs",
        "--lr",
        "--optimiser",
        "--overlay-db",
        "--batch-frames",
        "--patience",
        "--asd.model",
        "--init",
    ):
        assert name in said
    assert "learning rate of the first epoch (default: 0.001)" in said


def test_the_swahili_preset_is_for_prepare_and_train_alike():
    options, model, settings = parsed("--config", str(SWAHILI))
    assert (model, options.init, options.licence) == ("lr-asd", "ava", "CC BY 4.0")
    assert settings["learning"].patience == 3 and settings["examples"].window == 25
    import tomllib

    values = tomllib.loads(SWAHILI.read_text())
    made = params_from(values)
    assert made.asd.model == "lr-asd" and made.face_crops.policy == made.asd.policy == "asd"
    assert set(values) == {"language", "faces", "face_crops", "asd", "train"}


def test_unknown_settings_are_one_line(capsys, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[train]\nepoch = 7\n")
    assert "no setting of [train] 'epoch'; did you mean 'epochs'?" in refused(
        capsys, "films", "--to", "x", "--config", str(file)
    )
    file.write_text('[train]\nlr = "fast"\n')
    assert "[train] Expected `float`" in refused(capsys, "films", "--to", "x", "--config", str(file))
    assert "no network 'lr-as'" in refused(capsys, "films", "--to", "x", "--asd.model", "lr-as")
    assert "train.epochs must be 1 or more" in refused(capsys, "films", "--to", "x", "--epochs", "0")


def test_nothing_to_learn_from_is_one_line(capsys, tmp_path):
    assert "is no store and no folder of windows" in refused(
        capsys, str(tmp_path / "no"), "--to", str(tmp_path / "run")
    )
    Store.create(tmp_path / "films", StoreSettings())
    assert "has no clip to learn from" in refused(capsys, str(tmp_path / "films"), "--to", str(tmp_path / "run"))
    assert "has none" in refused(
        capsys, str(tmp_path / "films"), "--to", str(tmp_path / "run"), "--asd.model", "ava-asd"
    )
    assert not (tmp_path / "run").exists()


def test_settings_are_told_without_torch():
    """The base install has none: help, dry runs and refusals work without it."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH, "train", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--overlay" in done.stdout


def test_the_card_of_a_file_of_weights_is_printed(tmp_path, capsys):
    from safetensors.numpy import save_file

    file = tmp_path / "weights.safetensors"
    save_file({"x": np.zeros(2, np.float32)}, file, {"phonoscope": json.dumps({"network": "tiny", "licence": "CC0"})})
    assert main(["models", "card", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == {"network": "tiny", "licence": "CC0"}
    assert main(["models", "card", str(tmp_path)]) == 0
    assert main(["models", "card", str(tmp_path / "none.pth")]) == 2


@pytest.fixture(scope="module")
def vlogs(tmp_path_factory) -> Path:
    """Five drawn speakers, two films each, as seed 002 has them, in a store with faces cut."""
    from phonoscope.testing.puppet import film, one_head

    root = tmp_path_factory.mktemp("vlogs")
    splits = ("training", "training", "training", "validation", "validation", "test", "test")
    for number, split in enumerate(splits):
        for take in range(2):
            path = root / "videos" / split / f"speaker{number}" / f"take{take}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            film(path, one_head(3.0, seed=10 * number + take))
    store = root / "films"
    asked = ["--corpus", "vlogs", "--to", str(store), "--want", "face_crops", "--no-report", "--asd.model", "motion"]
    assert main(["prepare", str(root / "videos"), *asked]) == 0
    return store


@pytest.mark.slow
def test_the_whole_route_on_puppets(vlogs, tmp_path, capsys):
    """Vlogs, windows, training, evaluation, and the new weights at work; in under a minute, and far above chance."""
    run = tmp_path / "run"
    size = ["--n-samples", "300"]
    quick = ["--epochs", "8", "--lr", "1e-2", "--batch-frames", "400", "--workers", "1"]
    assert main(["train", "asd", str(vlogs), "--asd.model", "tiny", "--to", str(run), *size, *quick]) == 0
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["test"]["ap"] > 0.7  # chance is 0.5; windows of a second are short for it

    assert main(["evaluate", "asd", str(run), str(vlogs), *size, "--csv", str(tmp_path / "out.csv"), "--json"]) == 0
    (row,) = csv.DictReader((tmp_path / "out.csv").read_text().splitlines())
    assert float(row["ap"]) == pytest.approx(lines[-1]["test"]["ap"], abs=1e-3)
    assert row["network"] == "tiny" and row["split"] == "test"
    assert main(["evaluate", "asd", str(run), str(vlogs), *size, "--legacy", "--csv", str(tmp_path / "old.csv")]) == 0
    (old,) = csv.DictReader((tmp_path / "old.csv").read_text().splitlines())
    assert float(old["main_map"]) > 0.6 and old["audio_map"] != ""

    weights = run / "weights.safetensors"
    assert main(["run", "asd", str(vlogs), "--asd.weights", str(weights), "--no-report"]) == 0
    stored = Store(vlogs)[next(iter(Store(vlogs)))]
    assert np.isfinite(stored.load("asd").columns["score"]).all()
    assert "tiny@run" in stored.receipts["asd"].card

    again = [
        "train",
        "asd",
        str(vlogs),
        "--init",
        str(run),
        "--asd.model",
        "light-asd",
        "--to",
        str(tmp_path / "x"),
        *size,
    ]
    capsys.readouterr()
    assert main(again) == 2
    assert "light-asd cannot take these weights" in capsys.readouterr().err


def written_as_ava(store: Path, folder: Path, split: str) -> Path:
    """A csv of AVA's of two films of a set, whose people speak every other half second, and links to the films."""
    rows = []
    for stored in [it for it in map(Store(store).__getitem__, Store(store)) if it.listed.split == split][:2]:
        film, (track, *_) = stored.recording, stored.load("tracks")
        name = f"{stored.listed.speaker}-{stored.source.stem}"
        (folder / f"{name}.mp4").symlink_to(stored.source)
        for at, box in enumerate(track.box / [film.width, film.height, film.width, film.height]):
            frame = track.start + at
            label = "NOT_SPEAKING" if frame // 12 % 2 else "SPEAKING_AUDIBLE"
            place = ",".join(f"{min(max(each, 0), 1):.6f}" for each in box)
            rows.append(f"{name},{float(frame / film.fps):.2f},{place},{label},{name}:{track.id}\n")
    (folder / f"{split}.csv").write_text("".join(rows))
    return folder / f"{split}.csv"


@pytest.mark.slow
def test_the_whole_route_of_seed_001_on_puppets(vlogs, tmp_path, capsys):
    """Annotations, faces as it wants them, training in a mode, evaluation in both ways, and film scored by the run."""
    films, run, out = tmp_path / "ava", tmp_path / "s_a", tmp_path / "evaluation-results.csv"
    for split in ("training", "validation", "test"):
        table = str(written_as_ava(vlogs, tmp_path, split))
        assert main(["annotations", table, "--films", str(tmp_path), "--to", str(films), "--split", split]) == 0
    tight = ["--face-crops.policy", "tight", "--face-crops.size", "100", "--no-report"]
    assert main(["run", "face_crops", str(films), *tight]) == 0
    train = ["train", "asd", str(films), "--asd.model", "ava-asd", "--mode", "s_a", "--to", str(run), "--workers", "1"]
    assert main([*train, "--epochs", "1"]) == 0
    assert main([*train, "--epochs", "2"]) == 0
    assert [json.loads(it).get("epoch") for it in (run / "metrics.jsonl").read_text().splitlines()] == [1, 2, None]
    capsys.readouterr()
    assert main(["evaluate", "asd", str(run), str(films), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["network"] == "ava-asd"
    assert main(["evaluate", "asd", str(run), str(films), "--legacy", "--csv", str(out)]) == 0
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert row["main_map"] and row["orig_map"] and not row["audio_map"] and not row["video_map"]
    weights = str(run / "weights.safetensors")
    assert main(["run", "asd", str(films), "--asd.model", "ava-asd", "--asd.weights", weights, "--no-report"]) == 0
    stored = Store(films)[next(iter(Store(films)))]
    assert "ava-asd@s_a" in stored.receipts["asd"].card and np.isfinite(stored.load("asd").columns["score"]).all()
    examples, judge = material_of(films, ExamplesParams(), "ava-asd"), judge_of(Path(weights), "ava-asd")
    for it in examples.examples["test"]:  # film is scored as the windows that were learnt from
        scores = Store(films)[it.video.recording].load("asd").of(it.video.track, "score")
        assert scores[it.start] == pytest.approx(judge(examples.load(it))[0], abs=1e-4)


@pytest.mark.slow
def test_training_without_torch_is_one_line_that_says_what_to_install(vlogs, tmp_path):
    command = ["train", "asd", str(vlogs), "--to", str(tmp_path / "run"), "--n-samples", "40"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *command], capture_output=True, text=True, env=os.environ.copy()
    )
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].endswith("pip install 'phonoscope[train]'")
    dry = subprocess.run([sys.executable, "-c", WITHOUT_TORCH, *command, "--dry-run"], capture_output=True, text=True)
    assert dry.returncode == 0 and "3 speakers" in dry.stdout
