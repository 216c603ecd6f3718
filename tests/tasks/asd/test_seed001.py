"""Seed 001's network in its four modes: each learns, is read back by its mode, is judged, and scores film."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from phonoscope.core.errors import UsageError
from phonoscope.data.split import SETS
from phonoscope.models import load
from phonoscope.models.backends.ava_asd_graph import mode_of, shapes
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.tasks.asd.batches import joined
from phonoscope.tasks.asd.examples import Arrays, Example
from phonoscope.tasks.asd.judging import judge_of
from phonoscope.tasks.asd.legacy import heads_of
from phonoscope.tasks.asd.losses import objective_of
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams, Mode, NetworkParams
from phonoscope.tasks.asd.task import asd_task, batch_of, groups
from phonoscope.tasks.asd.training import Plan, plan, train_asd
from phonoscope.train.params import TrainParams

sys.path.insert(0, str(Path(__file__).parent))
from known_clips import Known, clip

MODES: tuple[Mode, ...] = ("s_av", "s_av_fc", "s_a", "s_v")


class Windows:
    """Twelve windows a split; who speaks is bright, and heard."""

    policy, source, shards = "tight", Known(), {}

    def __init__(self) -> None:
        them = clip("ana")
        self.examples = {name: [Example(them, them, at, at, 1, at % 2) for at in range(12)] for name in SETS}

    def load(self, example: Example) -> Arrays:
        """A window: faces (5, 100, 100) uint8, MFCC (13, 20) float32."""
        rng = np.random.default_rng(example.start)
        faces = rng.integers(0, 100, (5, 100, 100)) + 100 * example.label
        mfcc = rng.normal(2 * example.label - 1, 0.3, (13, 20)).astype(np.float32)
        return Arrays(faces.astype(np.uint8), mfcc, np.array([example.label]), np.ones(1, np.float32), np.array(True))

    def vary(self, example: Example, others: Sequence[Example], rng: np.random.Generator, p: AugmentParams) -> Arrays:
        """The same."""
        return self.load(example)


def window_of(material: Windows) -> Arrays:
    return material.load(material.examples["test"][1])


def planned(mode: Mode, **more) -> Plan:
    return Plan(
        model="ava-asd", source=Path("films"), material=Windows(), network=NetworkParams(mode=mode),
        learning=TrainParams(optimiser="adam", lr=1e-3, epochs=2, workers=1, seed=1),
        examples=ExamplesParams(batch_frames=4), **more,
    )  # fmt: skip


def train(it: Plan, folder: Path):
    return train_asd(it, folder, on_progress=lambda progress: None)


def file_of(folder: Path, mode: str, channels: int = 1) -> Path:
    """Weights of a mode through which what goes in comes out neither dead nor blown up."""
    rng = np.random.default_rng(7)
    path = folder / f"{mode}-{channels}.safetensors"
    save_file(
        {
            name: rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
            for name, shape in shapes(mode, channels).items()
        },
        path,
    )
    return path


@pytest.fixture(scope="module")
def heard(tmp_path_factory) -> Path:
    """A run of the mode that only hears."""
    folder = tmp_path_factory.mktemp("runs") / "s_a"
    train(planned("s_a"), folder)
    return folder


@pytest.mark.parametrize("mode", MODES)
def test_a_step_of_every_mode_lessens_its_loss(mode: Mode):
    material = Windows()
    task = asd_task("ava-asd", material, ExamplesParams(), AugmentParams(), shape={"mode": mode})
    made, batch = task.build().eval(), batch_of(joined([window_of(material)], "mask"))
    first = task.loss(task.forward(made, batch), batch, 1)
    first.total.backward()
    torch.optim.SGD(groups(made), lr=1e-3).step()
    with torch.no_grad():
        second = task.loss(task.forward(made, batch), batch, 1)
    assert float(second.total) < float(first.total.detach())
    assert set(first.parts) == ({"av", "audio", "video"} if "av" in mode else {"av"})
    assert all(it.grad is not None for it in made.parameters())  # no part of it is left out


def test_heads_weigh_as_the_seed_has_them_mode_by_mode():
    """Of s_av_fc ava_asd gives a weight to the joint head alone, and Keras takes 1 for the other two."""
    shares = {mode: objective_of("ava-asd", mode) for mode in MODES}
    assert {mode: (it.audio, it.video) for mode, it in shares.items() if "av" in mode} == {
        "s_av": (0.4, 0.4), "s_av_fc": (1.0, 1.0),
    }  # fmt: skip
    assert {it.speaks for it in shares.values()} == {0}


def test_what_a_run_has_learnt_is_kept_with_its_mode(heard):
    state = read_state_dict(heard / "weights.safetensors")
    assert state.about["mode"] == mode_of(state.tensors) == "s_a"
    assert 'mode = "s_a"' in (heard / "params.toml").read_text()
    assert state.about["figures"]["test"]["ap"] == 1.0  # who speaks is heard


def test_a_run_goes_on_in_its_own_mode_only(heard):
    before = (heard / "weights.safetensors").read_bytes()
    train(planned("s_a"), heard)
    assert (heard / "weights.safetensors").read_bytes() == before
    with pytest.raises(UsageError, match=r"mode = 's_a', not 's_v'"):
        train(planned("s_v"), heard)


@pytest.mark.parametrize(("mode", "channels"), [("s_av", 1), ("s_av_fc", 1), ("s_a", 1), ("s_v", 3)])
def test_legacy_says_of_every_mode_what_evaluation_says_head_by_head(mode: str, channels: int, tmp_path):
    file = file_of(tmp_path, mode, channels)
    it = window_of(Windows())
    said, odds = heads_of(file, "ava-asd")(it), judge_of(file, "ava-asd")(it)
    assert set(said) == ({"audio", "video", "main"} if "av" in mode else {"main"})
    assert said["main"] == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-5)


@pytest.mark.parametrize("mode", ["s_a", "s_v"])
def test_who_only_hears_minds_no_face_and_who_only_sees_no_sound(mode: str, tmp_path, heard):
    scorer = load("ava-asd", weights=heard / "weights.safetensors" if mode == "s_a" else file_of(tmp_path, mode))
    rng = np.random.default_rng(3)
    faces = rng.integers(0, 256, (2, 10, 100, 100), np.uint8)
    sounds = rng.normal(0, 0.1, (2, 6400)).astype(np.float32)
    said = scorer(faces[0], sounds[0])
    assert said.shape == (10,) and np.isfinite(said).all()
    assert np.array_equal(said, scorer(faces[1], sounds[0])) == (mode == "s_a")
    assert np.array_equal(said, scorer(faces[0], sounds[1])) == (mode == "s_v")


def test_weights_of_another_mode_are_named_before_anything_is_read(heard):
    with pytest.raises(UsageError, match=r"ava-asd in mode s_a, not s_v: --mode s_a goes on .* --init-partial"):
        plan("ava-asd", Path("nowhere"), str(heard), network=NetworkParams(mode="s_v"))
    with pytest.raises(UsageError, match="'lr-asd' has no mode 's_a': only ava-asd has modes"):
        plan("lr-asd", Path("nowhere"), network=NetworkParams(mode="s_a"))


def test_a_tower_that_has_learnt_alone_begins_a_net_of_both(heard, tmp_path):
    begun = planned("s_av_fc", init=str(heard), begin=heard / "weights.safetensors", partial=True)
    known = read_state_dict(heard / "weights.safetensors").tensors
    held = TrainParams(optimiser="sgd", lr=1e-3, epochs=1, workers=1, freeze="audio,video")
    few = Windows()
    few.examples = {name: its[:2] for name, its in few.examples.items()}
    folder = tmp_path / "both"
    train_asd(
        Plan(**{name: getattr(begun, name) for name in begun.__slots__} | {"learning": held, "material": few}),
        folder, on_progress=lambda progress: None,
    )  # fmt: skip
    made = read_state_dict(folder / "weights.safetensors").tensors
    for name in (name for name in known if name.startswith("audio.conv")):
        assert np.array_equal(made[name], known[name])
    assert "audio.fc7.weight" not in made
