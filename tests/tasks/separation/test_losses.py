"""Losses of separators: what the metric says, what comes out by hand, and the order that costs least."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.metrics.separation import si_sdr

torch = pytest.importorskip("torch")

from phonoscope.tasks.separation.losses import (  # noqa: E402
    discriminative_costs,
    in_order,
    mask_costs,
    order_of,
    si_sdr_costs,
)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(it) for it in arrays]


@given(st.integers(1, 3), st.floats(-20, 40), st.floats(-1, 3).map(lambda power: 10**power), st.integers(0, 99))
def test_without_a_limit_the_loss_is_the_metric(speakers: int, noise_db: float, scale: float, seed: int):
    true = noise(2, speakers, 800, seed=seed)
    made = scale * (true + 10 ** (-noise_db / 20) * noise(2, speakers, 800, seed=seed + 100))
    costs = si_sdr_costs(*tensors(made, true, true.sum(1)), limit_db=200)
    found = -torch.diagonal(costs, dim1=1, dim2=2).numpy()
    np.testing.assert_allclose(found, si_sdr(made, true), atol=0.02)


def test_every_voice_is_compared_with_every_true_one():
    made, true = noise(2, 3, 500), noise(2, 3, 500, seed=1)
    costs = si_sdr_costs(*tensors(made, true, true.sum(1)), limit_db=200).numpy()
    for which, row, column in np.ndindex(2, 3, 3):
        assert costs[which, row, column] == pytest.approx(-si_sdr(made[which, row], true[which, column]), abs=0.01)


def test_what_is_better_than_the_limit_is_worth_nothing():
    true = noise(1, 2, 1000)
    loud, quiet, perfect = (true + level * noise(1, 2, 1000, seed=7) for level in (1, 1e-3, 0))
    costs = [in_order(si_sdr_costs(*tensors(it, true, true.sum(1))), False) for it in (loud, quiet, perfect)]
    assert torch.all(costs[0] > costs[1]) and torch.all(costs[1] >= costs[2])
    assert torch.allclose(costs[2], torch.tensor(-30.0), atol=1e-3)


def test_a_voice_that_says_nothing_is_asked_for_silence():
    """By hand: made as loud as the mixture costs 0 dB, a tenth of its amplitude -20 dB, nothing -30 dB."""
    heard = noise(1, 400)
    true = np.stack([heard, np.zeros_like(heard)], 1)
    for share, expected in ((1.0, 10 * np.log10(1 + 1e-3)), (0.1, 10 * np.log10(0.01 + 1e-3)), (0.0, -30.0)):
        made = np.stack([heard, share * heard], 1)
        costs = in_order(si_sdr_costs(*tensors(made, true, heard)), False)
        assert costs[0, 1].item() == pytest.approx(expected, abs=1e-3)
        assert costs[0, 0].item() == pytest.approx(-30, abs=1e-3)


def test_a_voice_that_is_made_silent_is_worse_than_the_mixture():
    true = noise(1, 2, 400)
    for made, expected in ((np.zeros_like(true), 50.0), (np.repeat(true.sum(1, keepdims=True), 2, 1), 0.0)):
        costs = in_order(si_sdr_costs(*tensors(made, true, true.sum(1))), False)
        assert np.allclose(costs.numpy(), expected, atol=2)


@pytest.mark.parametrize("what", ["made", "true", "both"])
def test_silence_gives_numbers_and_slopes_that_are_finite(what: str):
    made, true = noise(2, 2, 300), noise(2, 2, 300, seed=1)
    made[0], true[1 if what == "made" else 0] = (0, true[1]) if what == "made" else (made[0], 0)
    if what == "both":
        made[:], true[:] = 0, 0
    voices = torch.from_numpy(made).requires_grad_()
    total = in_order(si_sdr_costs(voices, *tensors(true, true.sum(1))), False).mean()
    total.backward()
    assert total.isfinite() and voices.grad is not None and voices.grad.isfinite().all()


def test_in_any_order_the_best_one_counts():
    costs = torch.from_numpy(noise(20, 3, 3))
    best = [min(sum(it[row, at] for at, row in enumerate(order)) for order in itertools.permutations(range(3)))
            for it in costs]  # fmt: skip
    assert torch.allclose(in_order(costs, True).sum(1), torch.stack(best))
    assert torch.equal(in_order(costs, False), torch.diagonal(costs, dim1=1, dim2=2))


def test_voices_in_another_order_cost_the_same_if_any_will_do():
    made, true = noise(4, 3, 200), noise(4, 3, 200, seed=1)
    args = tensors(true, true.sum(1))
    there, back = (in_order(si_sdr_costs(it, *args), True) for it in tensors(made, made[:, [2, 0, 1]]))
    assert torch.allclose(there, back)
    assert order_of(si_sdr_costs(*tensors(true[:, [2, 0, 1]]), *args), True).tolist() == [[1, 2, 0]] * 4


@pytest.mark.parametrize("speakers", [1, 2, 3])
def test_the_discriminative_loss_is_the_seeds_on_the_axis_of_speakers(speakers: int):
    """As written down: the mean over elements of Σᵢ [(Sᵢ - Ŝᵢ)² - γ Σⱼ≠ᵢ (Sᵢ - Ŝⱼ)²]."""
    made, true = noise(2, 5, 7, 2, speakers), noise(2, 5, 7, 2, speakers, seed=1)
    by_hand = np.zeros((2, 5, 7, 2))
    for i in range(speakers):
        by_hand += (true[..., i] - made[..., i]) ** 2
        for j in range(speakers):
            if i != j:
                by_hand -= 0.1 * (true[..., i] - made[..., j]) ** 2
    found = in_order(discriminative_costs(mask_costs(*tensors(made, true))), False).sum(1)
    np.testing.assert_allclose(found.numpy(), by_hand.mean((1, 2, 3)), rtol=1e-5)


def test_without_gamma_the_discriminative_loss_is_the_squared_error():
    made, true = noise(3, 5, 7, 2, 2), noise(3, 5, 7, 2, 2, seed=1)
    costs = mask_costs(*tensors(made, true))
    assert torch.equal(discriminative_costs(costs, 0.0), costs)
    expected = ((made - true) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(in_order(costs, False).numpy(), expected, rtol=1e-5)


def test_to_be_like_the_other_voice_costs_more_than_its_squared_error():
    """By hand: true masks 0 and 1, made 1 and 0: 2 for the errors, and nothing off, for each is the other's."""
    true = torch.stack([torch.zeros(1, 5, 7, 2), torch.ones(1, 5, 7, 2)], -1)
    crossed, beyond = true.flip(-1), true + torch.tensor([-1.0, 1.0])  # errors of 1 both; the latter 2 from the other
    found = [in_order(discriminative_costs(mask_costs(it, true)), False).sum().item() for it in (crossed, beyond)]
    assert found == pytest.approx([2.0, 2.0 - 0.1 * (2**2 + 2**2)])
