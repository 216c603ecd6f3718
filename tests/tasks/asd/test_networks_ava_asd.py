"""Seed 001's networks in PyTorch: counts of parameters, Keras's margins, and weights under Keras's names."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError

torch = pytest.importorskip("torch")

from phonoscope.tasks.asd.networks import ava_asd  # noqa: E402
from phonoscope.tasks.asd.networks.ava_asd import AvaAsd, outputs  # noqa: E402
from phonoscope.tasks.asd.networks.keras_layers import to_layers, to_state_dict  # noqa: E402

COUNTS = {
    ("s_av", 1): 23_537_414,
    ("s_av", 3): 23_584_454,
    ("s_av_fc", 1): 12_176_134,
    ("s_a", 1): 5_659_586,
    ("s_v", 1): 17_614_146,
}


def shapes(made) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in made.state_dict().items()}


@pytest.mark.parametrize(("mode", "channels"), COUNTS)
def test_each_mode_has_as_many_parameters_as_in_keras(mode: str, channels: int) -> None:
    with torch.device("meta"):
        made = AvaAsd(mode, channels)
    assert sum(each.numel() for each in made.parameters()) == COUNTS[mode, channels]


@pytest.mark.parametrize(("mode", "heads"), [("s_av", 3), ("s_av_fc", 3), ("s_a", 1), ("s_v", 1)])
def test_each_mode_has_its_heads_in_the_order_of_the_seed(mode: str, heads: int) -> None:
    made = AvaAsd(mode).eval()
    with torch.inference_mode():
        said = made(torch.ones(2, 13, 20), torch.ones(2, 5, 100, 100))
    assert [tuple(head.shape) for head in outputs(said)] == [(2, 2)] * heads
    assert outputs(said)[-1] is said.av
    if heads == 3:
        assert outputs(said)[:2] == (said.audio, said.video)


def test_grey_faces_may_have_an_axis_for_their_one_channel() -> None:
    made = AvaAsd("s_v").eval()
    faces = torch.rand(1, 5, 100, 100) * 255
    with torch.inference_mode():
        assert torch.equal(made(None, faces).av, made(None, faces[..., None]).av)


@pytest.mark.parametrize(("mode", "decayed"), [("s_av", 12), ("s_av_fc", 12), ("s_a", 0), ("s_v", 0)])
def test_only_the_convolutions_of_nets_that_hear_and_see_decay(mode: str, decayed: int) -> None:
    with torch.device("meta"):
        made = AvaAsd(mode)
    names = {id(each): name for name, each in made.named_parameters()}
    told = [names[id(each)] for each in made.decayed()]
    assert len(told) == decayed
    assert all(".conv" in name and name.endswith(".weight") for name in told)


def keras_margins(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Before and after, as TensorFlow documents padding="same"."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


@given(st.integers(1, 24), st.integers(1, 24))
def test_pools_lie_as_keras_lays_them(height: int, width: int) -> None:
    x = np.random.default_rng(height * 25 + width).random((height, width), np.float32)
    padded = np.pad(x, (keras_margins(height, 3, 3), keras_margins(width, 3, 3)), constant_values=-np.inf)
    expected = padded.reshape(len(padded) // 3, 3, -1, 3).max((1, 3))
    pooled = ava_asd._thirds(torch.from_numpy(x)[None, None])[0, 0]
    np.testing.assert_array_equal(pooled, expected)


@given(st.tuples(st.integers(1, 6), st.integers(1, 6)), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_convolutions_have_the_margins_that_keras_gives_them(kernel: tuple[int, int], size: tuple[int, int]) -> None:
    generator = np.random.default_rng(sum(kernel) * 100 + sum(size))
    x, weight = generator.random(size, np.float32), generator.random(kernel, np.float32)
    padded = np.pad(x, [keras_margins(side, taps, 1) for side, taps in zip(size, kernel, strict=True)])
    expected = np.einsum("yxij,ij->yx", np.lib.stride_tricks.sliding_window_view(padded, kernel), weight)
    convolution = torch.nn.Conv2d(1, 1, kernel)
    with torch.no_grad():
        convolution.weight[0, 0], convolution.bias[0] = torch.from_numpy(weight), 0.5
        made = ava_asd._same(convolution, torch.from_numpy(x)[None, None])[0, 0]
    np.testing.assert_allclose(made, expected + 0.5, rtol=1e-5)


@pytest.mark.parametrize("mode", ["s_av", "s_av_fc", "s_a", "s_v"])
def test_weights_go_to_keras_and_back(mode: str) -> None:
    with torch.device("meta"):
        made = AvaAsd(mode)
    # numbers that tell where they stand; the dense kernels are left out, for they would fill memory
    state = {
        name: np.arange(np.prod(shape)).reshape(shape) for name, shape in shapes(made).items() if "fc7" not in name
    }
    back = to_state_dict(to_layers(state))
    assert back.keys() == state.keys()
    for name, array in state.items():
        np.testing.assert_array_equal(back[name], array)


def test_layers_of_keras_become_the_entries_that_the_network_loads() -> None:
    generator = np.random.default_rng(5)

    def layer(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        return generator.random(shape, np.float32), generator.random(shape[-1], np.float32)

    layers = {
        "s_a_conv1": layer(3, 3, 1, 64), "s_a_conv2": layer(3, 3, 64, 192), "s_a_conv3": layer(3, 3, 192, 384),
        "s_a_conv4": layer(3, 3, 384, 256), "s_a_conv5": layer(3, 3, 256, 256), "s_a_conv6": layer(5, 4, 256, 512),
        "s_a_fc7": layer(3072, 256), "main_out": layer(256, 2),
    }  # fmt: skip
    made = AvaAsd("s_a")
    made.load_state_dict({name: torch.from_numpy(array) for name, array in to_state_dict(layers).items()}, strict=True)
    assert made.audio.conv6.weight[7, 3, 4, 2] == layers["s_a_conv6"][0][4, 2, 3, 7]
    assert made.audio.fc7.weight[9, 100] == layers["s_a_fc7"][0][100, 9]
    assert made.main_out.bias[1] == layers["main_out"][1][1]


def test_a_layer_of_something_else_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="'block5_conv1' is no layer of ava_asd"):
        to_state_dict({"block5_conv1": (np.zeros((3, 3, 1, 1)), np.zeros(1))})


def test_what_a_network_cannot_be_or_take_is_refused() -> None:
    with pytest.raises(UsageError, match="no mode 's_va' of ava-asd; there are s_av, s_a, s_v, s_av_fc"):
        AvaAsd("s_va")
    with pytest.raises(UsageError, match="pixels of 4 channels"):
        AvaAsd("s_v", 4)
    with pytest.raises(ValueError, match=r"expected faces \(B, 5, 100, 100, 1\), got \(1, 5, 112, 112\)"):
        AvaAsd("s_v")(None, torch.zeros(1, 5, 112, 112))
    with pytest.raises(ValueError, match=r"expected MFCC \(B, 13, 20\), got None"):
        AvaAsd("s_a")(None, None)
