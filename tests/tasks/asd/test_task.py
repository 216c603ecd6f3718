"""Networks and weights as a task: what fits is taken, what does not is refused, and a step learns."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from phonoscope.core.errors import UsageError
from phonoscope.models import load
from phonoscope.models.state_dicts import StateDict, read_state_dict
from phonoscope.tasks.asd.batches import joined
from phonoscope.tasks.asd.examples import Arrays, Material
from phonoscope.tasks.asd.judging import Judged, files_of, judge_of, row, window_rows
from phonoscope.tasks.asd.legacy import Window, legacy_row, nearest
from phonoscope.tasks.asd.losses import OBJECTIVES, log_odds, loss
from phonoscope.tasks.asd.networks.registry import network
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams
from phonoscope.tasks.asd.presets import PRESETS
from phonoscope.tasks.asd.task import asd_task, batch_of, scored
from phonoscope.tasks.asd.training import Plan, about, weights_of
from phonoscope.train.begin import begin_with
from phonoscope.train.keeping import keep_weights
from phonoscope.train.loop import train
from phonoscope.train.params import TrainParams

sys.path.insert(0, str(Path(__file__).parent))
from known_clips import Known, KnownSound
from test_examples import window


@pytest.fixture
def material() -> Material:
    """Ten windows a split; nothing in them can be told apart but by heart."""
    people = {split: [*(window("ana", "ana", 12 + at, 12 + at) for at in range(5)),
                      *(window("ana", "ben", 12 + at, 40, 0) for at in range(5))]
              for split in ("training", "validation", "test")}  # fmt: skip
    return Material(people, Known(), sound=KnownSound())


def state_of(made: torch.nn.Module) -> StateDict:
    return StateDict({name: it.numpy() for name, it in made.state_dict().items()}, {})


def test_every_preset_has_an_objective():
    assert set(PRESETS) == set(OBJECTIVES)


def test_weights_are_taken_whole_or_not_at_all():
    source, made = network("tiny"), network("tiny")
    assert begin_with(made, state_of(source), "tiny") == []
    assert all(torch.equal(it, source.state_dict()[name]) for name, it in made.state_dict().items())
    with pytest.raises(UsageError, match="tiny cannot take these weights: these are the weights of lr-asd"):
        begin_with(made, state_of(network("lr-asd")), "tiny")


def test_only_partial_weights_may_be_partial():
    state = state_of(network("tiny"))
    names = list(state.tensors)
    half = StateDict({name: state.tensors[name] for name in names[: len(names) // 2]}, {})
    with pytest.raises(UsageError, match="missing"):
        begin_with(network("tiny"), half, "tiny")
    assert begin_with(network("tiny"), half, "tiny", partial=True) == names[len(names) // 2 :]
    with pytest.raises(UsageError, match="none of the 1 weights fits"):
        begin_with(network("tiny"), StateDict({"x": np.zeros(3)}, {}), "tiny", partial=True)


def test_a_run_of_a_real_network_ends_in_weights_that_its_scorer_takes(material, tmp_path):
    task = asd_task(
        "tiny", material, ExamplesParams(batch_frames=125), AugmentParams(), about=lambda found: {"network": "tiny"}
    )
    trained = train(task, tmp_path, TrainParams(epochs=1, lr=1e-3, workers=1))
    assert set(trained.validation) >= {"loss", "accuracy", "window_accuracy", "ap", "auc", "threshold", "f1"}
    state = read_state_dict(trained.weights)
    assert state.network == "tiny"
    assert begin_with(network("tiny"), state, "tiny") == []


def test_the_base_install_says_the_same_with_a_runs_weights(tmp_path):
    """Networks as they are trained, and as they run without torch, on the same file."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    rows, faces = rng.normal(0, 5, (28, 13)).astype(np.float32), rng.integers(0, 256, (7, 112, 112), np.uint8)
    for name in ("lr-asd", "light-asd"):
        made = network(name).eval()
        file = keep_weights(tmp_path, made, {"network": name})
        with torch.inference_mode():
            said = made(torch.from_numpy(rows)[None], torch.from_numpy(faces)[None].float()).av[0].numpy()
        assert np.abs(load(name, weights=file).logits(rows, faces) - said).max() < 1e-4
        judge = judge_of(file, name)
        arrays = Arrays(faces, rows, np.ones(7, int), np.ones(7, np.float32), np.array(True))
        assert np.abs(judge(arrays) - (said[:, 1] - said[:, 0])).max() < 1e-4


def test_what_fills_a_batch_up_changes_no_loss_and_no_figure():
    """The network sees it, as a face that stays and a sound that goes on; nobody is asked about it."""
    rng = np.random.default_rng(0)
    them = [
        Arrays(rng.integers(0, 256, (t, 112, 112), np.uint8), rng.normal(size=(4 * t, 13)).astype(np.float32),
               rng.integers(0, 2, t), np.ones(t, np.float32), np.array(False))
        for t in (9, 6)
    ]  # fmt: skip
    batch = batch_of(joined(them, "mask"))
    made = network("tiny").eval()
    with torch.inference_mode():
        said = made(batch.mfcc, batch.faces.float())
    whole = loss(said, batch.labels, batch.weight, OBJECTIVES["tiny"], 1)
    spoilt = replace(batch, labels=torch.where(batch.weight > 0, batch.labels, 1 - batch.labels))
    assert torch.equal(loss(said, spoilt.labels, spoilt.weight, OBJECTIVES["tiny"], 1).total, whole.total)
    odds = log_odds(said, OBJECTIVES["tiny"])
    assert [len(it.odds) for it in scored(odds, batch)] == [9, 6]
    assert np.array_equal(scored(odds, spoilt)[1].labels, them[1].labels)


def test_seed_001s_network_learns_windows():
    arrays = Arrays(np.zeros((5, 100, 100), np.uint8), np.zeros((13, 20), np.float32), np.array([1]),
                    np.ones(1, np.float32), np.array(True))  # fmt: skip
    batch = batch_of(joined([arrays, arrays], "mask"))
    assert batch.faces.shape == (2, 5, 100, 100) and batch.mfcc.shape == (2, 13, 20) and batch.labels.shape == (2, 1)
    task = asd_task("ava-asd", Material({}, Known()), ExamplesParams(), AugmentParams(), shape={"mode": "s_a"})
    made = task.build()
    said = task.forward(made, batch)
    assert said.av.shape == (2, 1, 2)
    assert [len(it.odds) for it in task.predict(said, batch)] == [1, 1]


def test_the_card_says_what_was_learnt_from_and_how_good_it_is(material):
    plan = Plan(model="lr-asd", source=Path("films"), material=material, init="ava", licence="CC0")
    said = about(plan, "mine", {"validation": {"ap": 0.9, "window_accuracy": 0.8, "threshold": -0.5}})
    assert said["network"] == "lr-asd" and said["licence"] == "CC0" and said["policy"] == "asd"
    assert said["threshold"] == -0.5
    assert said["trained_on"]["speakers"] == 2 and said["trained_on"]["init"] == "ava"
    assert "fine-tuned from ava on 2 recordings of 2 speakers" in said["notes"] and "AP 0.900" in said["notes"]
    assert plan.recipe["train"]["init"] == "ava" and plan.recipe["data"]["examples"] == 10
    assert len(plan.told()) == 4


def test_weights_are_found_by_file_run_or_name(tmp_path):
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"")
    assert weights_of(str(tmp_path), "lr-asd") == weights_of(str(file), "lr-asd") == file
    (tmp_path / "begun").mkdir()
    with pytest.raises(UsageError, match="is no run"):
        weights_of(str(tmp_path / "begun"), "lr-asd")
    with pytest.raises(UsageError, match="there is no file of weights"):
        weights_of("no/such.pth", "lr-asd")
    with pytest.raises(UsageError, match="no weights 'martian'; of 'lr-asd' there are talkset, ava"):
        weights_of("martian", "lr-asd")


def test_a_folder_of_weights_is_every_file_in_it(tmp_path):
    with pytest.raises(UsageError, match="no file of weights"):
        files_of(str(tmp_path))
    with pytest.raises(UsageError, match="no weights of 'ava-asd' are published: give a file of them"):
        files_of("ava-asd")
    train_of = {"b.safetensors": "light-asd", "a.pth": "light-asd"}
    for name in train_of:
        (tmp_path / name).write_bytes(b"")
    assert [(path.name, model) for path, model in files_of(str(tmp_path), "light-asd")] == [
        ("a.pth", "light-asd"), ("b.safetensors", "light-asd"),
    ]  # fmt: skip


def test_rows_of_tables_hold_what_was_scored():
    example = window("ana", "ben", 20, 30, 0)
    it = Judged(example, np.linspace(-1, 0.9, 25), np.zeros(25, int), np.ones(25))
    other = Judged(window("ana", "ana"), np.ones(25), np.ones(25, int), np.ones(25))
    found = row(Path("a.pth"), "lr-asd", "test", [it, other])
    assert (found["examples"], found["frames"], found["positives"]) == ("2", "50", "25")
    assert found["ap"] == "1.000000" and found["window_accuracy"] == "1.000000"
    rows = window_rows([it, other])
    assert len(rows) == 50 and rows[0]["uid"] == "0" and rows[-1]["uid"] == "49"
    assert rows[0]["video_id"] == "ana.npz" and rows[0]["audio_id"] == "ben.npz" and rows[0]["window_center"] == "20"
    assert {row["pred"] for row in rows[25:]} == {"1"} and rows[0]["pred"] == "0"


def test_legacy_rows_take_the_nearest_window_or_nought():
    them = [Window("a", 10, 1, {"main": 0.9}), Window("a", 20, 0, {"main": 0.2, "video": 0.1})]
    said = {"a": np.array([1] * 15 + [-1] + [0] * 9), "b": np.array([0, 1])}
    labels, scores = nearest(them, said)
    assert labels.tolist() == [1] * 15 + [0] * 9 + [0, 1]
    assert scores.tolist() == [0.9] * 15 + [0.2] * 9 + [0.0, 0.0]
    found = legacy_row(Path("w.hdf5"), them, said)
    assert found["main_accuracy"] == found["main_ap_sp"] == found["main_ap_ns"] == found["main_auc"] == "1.000000"
    assert found["audio_map"] == "" and float(found["orig_map"]) < 1
    assert legacy_row(Path("w.hdf5"), them, {})["orig_map"] == ""
