"""The loop learns, stops, keeps the best, and goes on after a kill as if nothing had been."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from phonoscope.core.errors import UsageError
from phonoscope.train.frozen import Remembering
from phonoscope.train.loop import Diverged, Progress, seed_of, train
from phonoscope.train.optimise import device_of, precision_of
from phonoscope.train.params import TrainParams

sys.path.insert(0, str(Path(__file__).parent))
from toy import toy

QUICK = TrainParams(epochs=3, lr=0.02, workers=1)


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_what_can_be_learnt_is_learnt(tmp_path):
    trained = train(toy(batches=20), tmp_path, replace(QUICK, epochs=6))
    assert trained.test["accuracy"] > 0.95
    losses = [line["training"]["loss"] for line in lines(tmp_path) if "epoch" in line]
    assert losses[-1] < losses[0] / 2


def test_a_run_leaves_weights_with_a_card_metrics_events_and_a_page(tmp_path):
    task = toy()
    trained = train(task, tmp_path, QUICK, recipe={"train": {"lr": 0.02}})
    with safe_open(trained.weights, "np") as file:
        assert set(file.keys()) == set(task.build().state_dict())
        about = json.loads(file.metadata()["phonoscope"])
    assert about["network"] == "toy"
    assert about["epoch"] == trained.epoch
    assert about["figures"] == {"validation": trained.validation, "test": trained.test}
    assert [line.get("epoch", "test") for line in lines(tmp_path)] == [1, 2, 3, "test"]
    assert (tmp_path / "params.toml").read_text() == "[train]\nlr = 0.02\n"
    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page and "http" not in page.replace("http-equiv", "")
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_tensorboard_may_write_elsewhere(tmp_path):
    train(toy(), tmp_path / "run", replace(QUICK, epochs=1), events=tmp_path / "events")
    assert list((tmp_path / "events").glob("events.*"))
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_the_best_model_is_kept_and_not_the_last(tmp_path):
    task = toy()
    figures = iter([0.4, 0.9, 0.5, 0.7])
    shown = []
    fickle = replace(task, score=lambda predictions: {"accuracy": next(figures)}, tested=False)
    weights = {}

    def watch(progress: Progress) -> None:
        if progress.figures:
            shown.append(progress.figures["validation"]["accuracy"])
            weights[progress.epoch] = (tmp_path / "weights.safetensors").read_bytes()

    trained = train(fickle, tmp_path, replace(QUICK, epochs=4), on_progress=watch)
    assert shown == [0.4, 0.9, 0.5, 0.7]
    assert trained.epoch == 2
    assert trained.test == {}
    assert weights[1] != weights[2] == weights[3] == weights[4] == trained.weights.read_bytes()


def test_training_ends_after_epochs_without_a_better_model(tmp_path):
    figures = iter([0.5, 0.6, 0.6, 0.2, 0.9])
    task = replace(toy(), score=lambda predictions: {"accuracy": next(figures)}, tested=False)
    trained = train(task, tmp_path, replace(QUICK, epochs=9, patience=2))
    assert trained.epoch == 2
    assert len(lines(tmp_path)) == 4


def test_less_loss_is_better(tmp_path):
    trained = train(toy(best="loss", batches=20), tmp_path, replace(QUICK, epochs=4))
    losses = [line["validation"]["loss"] for line in lines(tmp_path) if "epoch" in line]
    assert trained.epoch == losses.index(min(losses)) + 1


def test_the_same_seed_gives_the_same_bytes_and_another_others(tmp_path):
    made = [train(toy(), tmp_path / name, replace(QUICK, seed=seed)).weights.read_bytes() for name, seed in
            (("a", 0), ("b", 0), ("c", 1))]  # fmt: skip
    assert made[0] == made[1] != made[2]


def test_training_does_not_touch_the_callers_chance(tmp_path):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(toy(), tmp_path, replace(QUICK, epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_more_epochs_go_on_from_where_a_run_ended(tmp_path):
    train(toy(), tmp_path / "twice", replace(QUICK, epochs=2))
    twice = train(toy(), tmp_path / "twice", replace(QUICK, epochs=4))
    once = train(toy(), tmp_path / "once", replace(QUICK, epochs=4))
    assert twice.weights.read_bytes() == once.weights.read_bytes()
    assert [line.get("epoch") for line in lines(tmp_path / "twice")] == [1, 2, 3, 4, None]


def test_a_run_at_its_end_is_only_read(tmp_path):
    first = train(toy(), tmp_path, QUICK)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert train(toy(), tmp_path, QUICK) == first
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_folder_with_another_run_is_refused(tmp_path):
    train(toy(), tmp_path, QUICK, recipe={"train": {"lr": 0.02, "epochs": 3}})
    with pytest.raises(UsageError, match=r"lr = 0.02, not 0.1"):
        train(toy(), tmp_path, replace(QUICK, lr=0.1), recipe={"train": {"lr": 0.1, "epochs": 3}})
    train(toy(), tmp_path, QUICK, recipe={"train": {"lr": 0.02, "epochs": 4}})


def test_a_setting_that_a_run_began_without_is_named(tmp_path):
    train(toy(), tmp_path, QUICK, recipe={"train": {"lr": 0.02}})
    with pytest.raises(UsageError, match=r"began without \[train\] mode, which is 's_v' now: give another --to"):
        train(toy(), tmp_path, QUICK, recipe={"train": {"lr": 0.02, "mode": "s_v"}})


def test_what_could_not_begin_leaves_the_folder_to_the_next_try(tmp_path):
    with pytest.raises(UsageError, match="no part 'nose' to freeze; it has 0, 1, 2, 3"):
        train(toy(), tmp_path, replace(QUICK, freeze="nose"), recipe={"train": {"freeze": "nose"}})
    train(toy(), tmp_path, replace(QUICK, freeze="0"), recipe={"train": {"freeze": "0"}})


def test_weights_may_be_read_by_whoever_may_read_the_rest(tmp_path):
    trained = train(toy(), tmp_path, replace(QUICK, epochs=1), recipe={"train": {}})
    assert trained.weights.stat().st_mode == (tmp_path / "params.toml").stat().st_mode


def test_a_damaged_checkpoint_is_one_line(tmp_path):
    train(toy(), tmp_path, QUICK)
    (tmp_path / "checkpoint.pt").write_bytes(b"no such thing")
    with pytest.raises(UsageError, match="another --to"):
        train(toy(), tmp_path, QUICK)


def test_a_loss_that_is_no_number_ends_training_in_one_line(tmp_path):
    task = toy()
    spoilt = replace(task, forward=lambda network, batch: network(batch.x)[:, 0] * float("nan"))
    with pytest.raises(Diverged, match=r"epoch 1, step 1.*--lr"):
        train(spoilt, tmp_path, QUICK)


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam"])
def test_every_optimiser_of_seed_001_runs_and_resumes(optimiser, tmp_path):
    p = replace(QUICK, optimiser=optimiser, momentum=0.9, nesterov=True, clip=1.0, epochs=1)
    train(toy(), tmp_path / "a", p)
    twice = train(toy(), tmp_path / "a", replace(p, epochs=2)).weights.read_bytes()
    assert train(toy(), tmp_path / "b", replace(p, epochs=2)).weights.read_bytes() == twice


def test_the_learning_rate_falls_as_asked():
    p = TrainParams(lr=0.1, lr_decay=0.5)
    assert [p.lr_at(epoch, 100) for epoch in (1, 2, 3)] == [0.1, 0.05, 0.025]
    assert TrainParams(lr=0.01, lr_decay=1, step_decay=1e-6).lr_at(9, 10**6) == pytest.approx(0.005)


def test_the_learning_rate_falls_in_steps_as_asked():
    """Seed 000: divided by 5 from its epoch 5 on, by 10 from its epoch 10 on, both counted from 0."""
    p = TrainParams(lr=1e-5, lr_decay=1.0, lr_steps="6:0.2,11:0.1")
    rates = [p.lr_at(epoch, 0) for epoch in (1, 5, 6, 10, 11, 100)]
    assert rates == pytest.approx([1e-5, 1e-5, 2e-6, 2e-6, 1e-6, 1e-6])
    assert replace(p, lr_decay=0.5).lr_at(6, 0) == pytest.approx(1e-5 * 0.2 * 0.5**5)
    assert TrainParams(lr=0.1, lr_decay=1.0).lr_at(50, 0) == 0.1


@pytest.mark.parametrize("said", ["6", "6:", "a:0.1", "6:0.2;11:0.1", "0:0.1", "6:0.2,6:0.1", "11:0.1,6:0.2", "6:-1"])
def test_steps_of_the_learning_rate_that_say_nothing_are_one_line(said: str):
    with pytest.raises(UsageError, match=r"train\.lr_steps"):
        TrainParams(lr_steps=said)


def test_frozen_parts_keep_their_weights(tmp_path):
    task = toy()
    torch.manual_seed(QUICK.seed)
    before = task.build().state_dict()
    trained = train(task, tmp_path, replace(QUICK, freeze="0"))
    with safe_open(trained.weights, "pt") as file:
        assert torch.equal(file.get_tensor("0.weight"), before["0.weight"])
        assert not torch.equal(file.get_tensor("3.weight"), before["3.weight"])
    with pytest.raises(UsageError, match="no part 'nose' to freeze"):
        train(task, tmp_path / "other", replace(QUICK, freeze="nose"))


def test_half_precision_is_for_gpus_only():
    assert precision_of("auto", torch.device("cpu")) is precision_of("fp16", torch.device("cpu")) is None
    assert precision_of("bf16", torch.device("cuda")) is torch.bfloat16
    assert precision_of("off", torch.device("cuda")) is None


def test_a_device_that_is_not_here_is_one_line():
    with pytest.raises(UsageError, match="no device 'cuda:99'"):
        device_of("cuda:99")
    with pytest.raises(UsageError, match="no device 'toaster'"):
        device_of("toaster")


def test_seeds_of_steps_differ():
    assert len({seed_of(a, b, c) for a in range(4) for b in range(4) for c in range(4)}) == 64


def test_a_run_that_was_killed_anywhere_ends_with_the_same_bytes(tmp_path):
    """Killed by SIGKILL before touches of the disk all along, most of them within an epoch, then taken up again."""
    script = Path(__file__).with_name("kill_training.py")
    done = subprocess.run([sys.executable, script, tmp_path, "11"], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["bad"] == []
    assert told["touches"] > 50 and told["within"] >= 3


def test_what_a_frozen_part_gave_is_remembered_and_is_the_same():
    torch.manual_seed(0)
    part = torch.nn.Linear(4, 2).requires_grad_(False)
    calls = []

    def counted(given: torch.Tensor) -> torch.Tensor:
        calls.append(len(given))
        return torch.nn.functional.linear(given, part.weight, part.bias)

    x = torch.randn(3, 4)
    part.forward = counted
    remembering = Remembering(part)
    assert torch.equal(remembering(x), remembering(x))
    assert torch.allclose(remembering(x), counted(x)) and calls == [1, 1, 1, 3]
    assert torch.equal(remembering(x[[2, 0]]), remembering(x)[[2, 0]])
    small = Remembering(part, most_bytes=1)
    assert torch.equal(small(x), remembering(x)) and torch.equal(small(x), remembering(x))
