"""Layers are mixed alike in NumPy and in PyTorch, where their weights can be learnt."""

import numpy as np
import pytest

from phonoscope.data.layers import mixed


def test_a_mix_is_the_weighted_sum():
    layers, weights = np.random.default_rng(0).normal(size=(7, 3, 5)), np.array([0.2, 0.5, 0.3])
    np.testing.assert_allclose(mixed(layers, weights), np.einsum("tld,l->td", layers, weights))
    np.testing.assert_array_equal(mixed(layers, np.array([0.0, 1.0, 0.0])), layers[:, 1])


def test_weights_can_be_learnt():
    torch = pytest.importorskip("torch")
    layers = torch.randn(7, 3, 5, generator=torch.Generator().manual_seed(0))
    weights = torch.zeros(3, requires_grad=True)
    mixed(layers, weights.softmax(0)).square().sum().backward()
    assert weights.grad is not None and bool(weights.grad.abs().sum() > 0)


def test_other_weights_than_layers_are_refused():
    with pytest.raises(ValueError, match="as many weights"):
        mixed(np.zeros((7, 3, 5)), np.zeros(4))
