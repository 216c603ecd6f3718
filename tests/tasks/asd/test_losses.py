"""Losses and presets are those of the papers; padding and masks change none."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import floats, integers
from torch.nn import BCELoss, CrossEntropyLoss
from torch.nn.functional import softmax

from phonoscope.tasks.asd.losses import OBJECTIVES, log_odds, loss
from phonoscope.tasks.asd.networks.ava_asd import AvaAsd
from phonoscope.tasks.asd.networks.heads import Logits
from phonoscope.tasks.asd.presets import PRESETS, preset
from phonoscope.tasks.asd.task import groups


def drawn(clips: int = 3, frames: int = 7, seed: int = 0) -> tuple[Logits, torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    heads = [3 * torch.randn(clips, frames, 2, generator=rng) for _ in range(3)]
    return Logits(*heads), torch.randint(0, 2, (clips, frames), generator=rng), torch.ones(clips, frames)


def test_talknet_is_cross_entropy_of_three_heads():
    logits, labels, weight = drawn()
    assert logits.audio is not None and logits.video is not None
    of = CrossEntropyLoss()
    expected = sum(
        share * of(head.flatten(0, 1), labels.flatten())
        for head, share in ((logits.av, 1), (logits.audio, 0.4), (logits.video, 0.4))
    )
    assert torch.allclose(loss(logits, labels, weight, OBJECTIVES["talknet"], 5).total, expected)


@pytest.mark.parametrize(("model", "epoch", "r"), [("light-asd", 1, 1.3), ("light-asd", 16, 1.0), ("lr-asd", 9, 1.0)])
def test_light_and_lr_are_binary_cross_entropy_on_softmax_at_a_temperature(model, epoch, r):
    logits, labels, weight = drawn()
    assert logits.video is not None

    def of(head: torch.Tensor) -> torch.Tensor:
        return BCELoss()(softmax(head.flatten(0, 1) / r, -1)[:, 1], labels.flatten().float())

    found = loss(logits, labels, weight, OBJECTIVES[model], epoch)
    assert torch.allclose(found.total, of(logits.av) + 0.5 * of(logits.video), atol=1e-6)
    assert set(found.parts) == {"av", "video"}


def test_lights_temperature_falls_by_two_hundredths_an_epoch():
    objective = OBJECTIVES["light-asd"]
    assert [objective.temperature(epoch) for epoch in (1, 2, 30)] == pytest.approx([1.3, 1.28, 0.72])
    assert OBJECTIVES["lr-asd"].temperature(40) == OBJECTIVES["talknet"].temperature(25) == 1


def test_seed_001_speaks_in_class_0():
    logits, labels, weight = drawn(5, 1)
    of, heads = CrossEntropyLoss(), (logits.av, logits.audio, logits.video)
    expected = [of(head.flatten(0, 1), 1 - labels.flatten()) for head in heads if head is not None]
    found = loss(logits, labels, weight, OBJECTIVES["ava-asd"], 1)
    assert torch.allclose(found.total, expected[0] + 0.4 * expected[1] + 0.4 * expected[2])
    assert torch.equal(log_odds(logits, OBJECTIVES["ava-asd"]), logits.av[..., 0] - logits.av[..., 1])
    assert torch.equal(log_odds(logits, OBJECTIVES["lr-asd"]), logits.av[..., 1] - logits.av[..., 0])


def test_seed_001s_kernels_decay_by_twice_what_keras_adds_to_the_loss():
    made = AvaAsd("s_av")
    rest, decayed = groups(made)
    assert {it.ndim for it in decayed["params"]} == {4, 5}
    assert decayed["weight_decay"] == 2e-4
    assert len(rest["params"]) + len(decayed["params"]) == len(list(made.parameters()))


@given(
    frames=integers(1, 9), more=integers(0, 9), epoch=integers(1, 40), seed=integers(0, 99), noise=floats(-50, 50),
)  # fmt: skip
def test_what_has_no_weight_changes_no_loss_and_gets_no_gradient(frames, more, epoch, seed, noise):
    for model, objective in OBJECTIVES.items():
        logits, labels, weight = drawn(2, frames, seed)
        expected = loss(logits, labels, weight, objective, epoch)
        blank = torch.full((2, more, 2), noise)
        longer = [torch.cat([head, blank], 1).requires_grad_() for head in (logits.av, logits.audio, logits.video)]
        ones = torch.ones(2, more, dtype=torch.int64)
        found = loss(
            Logits(*longer),
            torch.cat([labels, ones], 1),
            torch.cat([weight, torch.zeros(2, more)], 1),
            objective,
            epoch,
        )
        assert torch.allclose(found.total, expected.total, rtol=1e-5), model
        assert found.weight == expected.weight == 2 * frames
        found.total.backward()
        assert all(head.grad is None or not head.grad[:, frames:].any() for head in longer)


def test_presets_are_the_papers():
    talknet, light, lr, ava = (PRESETS[name][0] for name in ("talknet", "light-asd", "lr-asd", "ava-asd"))
    assert (talknet.optimiser, talknet.lr, talknet.lr_decay, talknet.epochs) == ("adam", 1e-4, 0.95, 25)
    assert (light.optimiser, light.lr, light.lr_decay, light.epochs) == ("adam", 1e-3, 0.95, 30)
    assert (lr.optimiser, lr.lr, lr.lr_decay, lr.epochs, lr.weight_decay) == ("adamw", 1e-3, 0.95, 40, 0.01)
    assert (ava.optimiser, ava.lr, ava.momentum, ava.nesterov, ava.epochs) == ("sgd", 0.01, 0.9, True, 40)
    assert (ava.lr_decay, ava.step_decay) == (1.0, 1e-6)
    batches = {name: examples.batch_frames for name, (_, examples) in PRESETS.items()}
    assert batches == {"talknet": 2500, "light-asd": 2000, "lr-asd": 2000, "ava-asd": 16, "tiny": 2000}


def test_fine_tuning_is_seed_002s():
    learning, examples = preset("talknet", fine_tune=True)
    assert (learning.optimiser, learning.lr, learning.lr_decay, learning.epochs) == ("adam", 1e-4, 0.95, 10)
    assert examples.batch_frames == 32 * examples.window == 32 * 25


def test_a_batch_of_nothing_that_counts_costs_nothing():
    logits, labels, weight = drawn()
    found = loss(logits, labels, weight * 0, OBJECTIVES["lr-asd"], 1)
    assert float(found.total) == 0 and found.weight == 0
    assert np.isfinite(float(found.total))
