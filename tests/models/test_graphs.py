"""Building blocks of graphs, each against PyTorch's own module with the same weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.models.graphs import Graph, folded
from phonoscope.models.sessions import onnx_network

torch = pytest.importorskip("torch")


def run(build: Callable[[Graph, str], str], given: np.ndarray) -> np.ndarray:
    """What a graph of one input makes of it."""
    graph = Graph()
    graph.output("y", [None] * given.ndim, build(graph, graph.input("x", [None] * given.ndim)))
    return onnx_network(graph.bytes())({"x": given})["y"]


def learnt(module: Any, seed: int) -> Any:
    """A module in evaluation, none of whose weights are at rest."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, entry in module.state_dict().items():
            if entry.dtype.is_floating_point:
                entry.copy_(torch.randn(entry.shape, generator=generator) * 0.5)
                if name.endswith("running_var"):
                    entry.abs_().add_(0.2)
    return module.eval()


def state(module: Any, prefix: str = "") -> dict[str, np.ndarray]:
    return {f"{prefix}{name}": entry.numpy() for name, entry in module.state_dict().items()}


def values(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape, np.float32)


@given(
    st.sampled_from([1, 3, 5]), st.sampled_from([1, 3]), st.integers(1, 2), st.booleans(), st.booleans(),
    st.floats(1e-5, 1e-2),
)  # fmt: skip
def test_a_convolution_does_the_work_of_the_batch_norm_after_it(
    taps: int, others: int, stride: int, biased: bool, relu: bool, eps: float
) -> None:
    convolution = torch.nn.Conv2d(3, 4, (taps, others), stride, (taps // 2, others // 2), bias=biased)
    both = learnt(torch.nn.Sequential(convolution, torch.nn.BatchNorm2d(4, eps)), 0)
    weight, bias = folded(state(both), "0", "1", eps)
    given = values(2, 3, 7, 6)
    made = run(lambda graph, x: graph.convolve(x, weight, bias, stride=(stride, stride), relu=relu), given)
    with torch.inference_mode():
        wanted = both(torch.tensor(given))
    wanted = wanted.relu() if relu else wanted
    np.testing.assert_allclose(made, wanted.numpy(), atol=1e-5)


def test_convolutions_may_have_groups_another_reach_and_no_bias() -> None:
    convolution = learnt(torch.nn.Conv1d(6, 6, 3, padding=0, groups=3, bias=False), 0)
    given = values(2, 6, 9)
    weight = state(convolution)["weight"]
    made = run(lambda graph, x: graph.convolve(x, weight, reach=[0], groups=3, relu=False), given)
    with torch.inference_mode():
        np.testing.assert_allclose(made, convolution(torch.tensor(given)).numpy(), atol=1e-5)


@given(st.integers(1, 12), st.integers(1, 3), st.booleans())
def test_a_recurrent_unit_runs_either_way(frames: int, clips: int, backwards: bool) -> None:
    gru = learnt(torch.nn.GRU(5, 4), 1)
    given = values(frames, clips, 5)
    made = run(lambda graph, x: graph.gru(x, state(gru, "g."), "g", backwards=backwards), given)
    with torch.inference_mode():
        turned = torch.tensor(given).flip(0) if backwards else torch.tensor(given)
        wanted = gru(turned)[0]
    np.testing.assert_allclose(made, (wanted.flip(0) if backwards else wanted).numpy(), atol=1e-5)


@given(st.integers(1, 12), st.integers(1, 3))
def test_two_recurrent_units_run_in_both_directions_at_once(frames: int, clips: int) -> None:
    first, second = learnt(torch.nn.GRU(5, 4), 1), learnt(torch.nn.GRU(5, 4), 2)
    given = values(frames, clips, 5)
    tensors = state(first, "a.") | state(second, "b.")
    made = run(lambda graph, x: graph.gru(x, tensors, "a", "b"), given)
    with torch.inference_mode():
        forwards, backwards = first(torch.tensor(given))[0], second(torch.tensor(given).flip(0))[0].flip(0)
    np.testing.assert_allclose(made, torch.cat([forwards, backwards], 2).numpy(), atol=1e-5)


@pytest.mark.parametrize("biased", [False, True])
def test_a_linear_layer_is_pytorchs(biased: bool) -> None:
    linear = learnt(torch.nn.Linear(5, 3, bias=biased), 0)
    given, tensors = values(2, 4, 5), state(linear)
    made = run(lambda graph, x: graph.linear(x, tensors["weight"], tensors.get("bias")), given)
    with torch.inference_mode():
        np.testing.assert_allclose(made, linear(torch.tensor(given)).numpy(), atol=1e-6)


def test_the_same_weights_make_the_same_bytes() -> None:
    def made() -> bytes:
        graph = Graph()
        value = graph.convolve(graph.input("x", [1, 2, "T"]), values(3, 2, 5), values(3))
        graph.output("y", [1, 3, "T"], graph.reshape(graph.transpose(value, 0, 2, 1), -1, 3))
        return graph.bytes()

    assert made() == made()
