"""A config.yaml of ava_asd means what it meant there, and every key of it is answered for."""

from fractions import Fraction

import pytest

from phonoscope.cli.main import main
from phonoscope.cli.options import parse
from phonoscope.cli.prepare import Prepare
from phonoscope.cli.train import Train
from phonoscope.cli.training import parse_training
from phonoscope.core.errors import UsageError
from phonoscope.data.ava_asd_config import ELSEWHERE, FIXED, SETTINGS, settings_from

CONFIG = """
paths: {download_path: download, vid_save_path: download/trainval, start_ts: start_ts, extracted_path: extracted/10fps}
video: {fps: 10, eps: 3.0, ann_stride: 4, width: 100, height: 100, channels: 3}
audio: {mfcc_window_size: 0.025, stride: 0.01, nmfcc: 13, apply_mean: True, apply_stddev: True}
sampling: {train_keep_ratio: 1.0, filter_classes: {}, remove_small_faces: False, resample: True, augment: False}
classes: {SPEAKING_AUDIBLE: 0, NOT_SPEAKING: 1, SPEAKING_NOT_AUDIBLE: 1}
training:
  mode: s_av
  epochs: 12
  batch: 16
  optimizer: SGD
  optimizers:
    Adam: {lr: 0.001}
    SGD: {lr: 0.02, momentum: 0.9, decay: 1.0e-6, nesterov: True}
  early_stopping: False
  patience: 5
  tb_logdir: logs/Graph
  surprise: 3
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    return str(tmp_path / "config.yaml")


def test_every_key_becomes_a_setting_or_a_line(config):
    made, said = settings_from(config)
    assert made["clock"] == {"fps": "10"} and made["mfcc"]["recipe"] == "librosa"
    assert made["train"] == {
        "vary_faces": False, "overlay": 0.0, "epochs": 12, "batch_frames": 16, "optimiser": "sgd", "lr": 0.02,
        "mode": "s_av", "momentum": 0.9, "step_decay": 1e-6, "nesterov": True,
    }  # fmt: skip
    keys = [line.partition(" = ")[0] for line in said]
    assert len(keys) == len(set(keys)) == 24 and not {*keys} & {*SETTINGS}
    assert "channels = 3: ava-asd is shown grey, and nothing else: passed over" in said
    assert "surprise = 3: unknown, passed over" in said and "patience = 5: early stopping is off" in said


def test_no_key_is_told_in_two_ways():
    assert not {*SETTINGS} & {*FIXED} and not {*SETTINGS, *FIXED} & {*ELSEWHERE}


def test_keys_may_stand_in_other_groups_or_in_none(tmp_path):
    (tmp_path / "c.yml").write_text("fps: 25\nlearning_rate: 0.5\nearly_stopping: true\n")
    made, said = settings_from(tmp_path / "c.yml")
    assert made["clock"]["fps"] == "25" and made["train"]["lr"] == 0.5 and made["train"]["patience"] == 5 and not said


def test_prepare_and_train_take_it_as_they_take_toml(config, caplog):
    _, params = parse(Prepare, ["film.mp4", "--to", "films", "--config", config, "--mfcc.fill", "edge"])
    assert params.clock.fps == Fraction(10) and (params.mfcc.recipe, params.mfcc.fill) == ("librosa", "edge")
    assert params.asd.model == "auto" and "start_ts = start_ts: the store has whole films" in caplog.text
    _, model, settings = parse_training(Train, ["asd", "films", "--to", "run", "--config", config, "--epochs", "3"])
    learning = settings["learning"]
    assert model == "ava-asd" and (learning.optimiser, learning.lr, learning.epochs) == ("sgd", 0.02, 3)
    assert settings["examples"].batch_frames == 16 and not settings["augment"].vary_faces


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "cannot be read as YAML"),
        ("- 1\n- 2", "holds no setting of ava_asd"),
        ("tracks: {min_len: 3}", "holds no setting of ava_asd: settings of phonoscope are written in TOML"),
        ("epochs: many", "epochs = 'many' makes no sense"),
        ("fps: fast", "'fast' is no fraction"),
        ("!!python/object/apply:os.system ['true']", "cannot be read as YAML"),
    ],
)
def test_what_is_no_such_file_is_answered_in_one_line(tmp_path, capsys, text, said):
    (tmp_path / "c.yaml").write_text(text)
    assert main(["prepare", "a.mp4", "--to", str(tmp_path / "s"), "--config", str(tmp_path / "c.yaml")]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    with pytest.raises(UsageError, match="cannot be read as YAML"):
        settings_from(tmp_path / "nowhere.yaml")
