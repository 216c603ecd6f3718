"""Looking to Listen: as many parameters as the seed's, layers as Keras works them out, any length, any number."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from phonoscope.tasks.separation.networks.keras_lstm import BothWays  # noqa: E402
from phonoscope.tasks.separation.networks.looking_to_listen import (  # noqa: E402
    AudioOnly,
    Heard,
    LookingToListen,
    Seen,
    normed,
    resampled,
)
from phonoscope.tasks.separation.networks.registry import NETWORKS, network  # noqa: E402

NARROW = {"filters": 4, "cells": 8, "dense": 8}


def size(made) -> tuple[int, int]:
    """Numbers that are learnt, and statistics of batch norms."""
    statistics = [it for name, it in made.named_buffers() if name.endswith(("running_mean", "running_var"))]
    return sum(it.numel() for it in made.parameters()), sum(it.numel() for it in statistics)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_both_networks_have_as_many_parameters_as_the_seeds():
    with torch.device("meta"):
        seeing, hearing = LookingToListen(2), AudioOnly(2)
    assert (sum(size(seeing)), size(seeing)[1]) == (18_775_956, 5_776)
    assert sum(size(hearing)) == 12_280_212


@pytest.mark.parametrize("speakers", [1, 2, 3])
@pytest.mark.parametrize(("rows", "frames"), [(28, 7), (298, 75), (468, 118)], ids=["0.3 s", "3 s", "4.7 s"])
def test_any_number_of_speakers_and_any_length_will_do(speakers: int, rows: int, frames: int):
    made = LookingToListen(speakers, 8, **NARROW).eval(), AudioOnly(speakers, **NARROW).eval()
    spectrum, faces = torch.randn(2, rows, 257, 2), torch.randn(2, speakers, frames, 8)
    with torch.inference_mode():
        for it in made:
            masks = it(spectrum, faces)
            assert masks.shape == (2, rows, 257, 2, speakers)
            assert masks.isfinite().all()


def test_faces_that_are_not_the_networks_are_refused():
    with pytest.raises(ValueError, match="has 2 speakers, got 3 faces"):
        LookingToListen(2, 8, **NARROW)(torch.zeros(1, 5, 257, 2), torch.zeros(1, 3, 2, 8))


def test_every_face_goes_through_the_same_layers_and_has_a_place_of_its_own():
    """With the places of two faces in the LSTM's kernel swapped, swapped faces give the same masks."""
    made = LookingToListen(2, 8, **NARROW).eval()
    spectrum, faces = torch.randn(1, 28, 257, 2), torch.randn(1, 2, 7, 8)
    with torch.inference_mode():
        straight, crossed = made(spectrum, faces), made(spectrum, faces.flip(1))
        kernel = made.lstm.kernel.data
        heard, first, second = kernel.split([8 * 257, 256, 256], 1)
        made.lstm.kernel.data = torch.cat([heard, second, first], 1)
        assert torch.allclose(made(spectrum, faces.flip(1)), straight, rtol=1e-3, atol=1e-7)
    assert not torch.allclose(straight, crossed, rtol=0.1)


def test_a_face_that_is_not_seen_counts_as_nought():
    made = LookingToListen(2, 8, **NARROW).eval()
    spectrum, faces = torch.randn(1, 28, 257, 2), torch.randn(1, 2, 7, 8)
    unseen, nought = faces.clone(), faces.clone()
    unseen[0, 1, 3:], nought[0, 1, 3:] = torch.nan, 0
    with torch.inference_mode():
        assert torch.equal(made(spectrum, unseen), made(spectrum, nought))


@pytest.mark.parametrize(("kernel", "dilation"), [((1, 7), (1, 1)), ((5, 5), (2, 1)), ((5, 5), (4, 4))])
def test_a_convolution_is_worked_out_as_keras_documents_it(kernel: tuple[int, int], dilation: tuple[int, int]):
    rng = np.random.default_rng(0)
    layer = normed(torch.nn.Conv2d(3, 2, kernel, dilation=dilation, padding="same")).eval()
    bias, scale, shift, mean, variance = rng.normal(size=(5, 2)).astype(np.float32)
    variance = np.abs(variance)
    state = {"0.bias": bias, "1.weight": scale, "1.bias": shift, "1.running_mean": mean, "1.running_var": variance}
    layer.load_state_dict({name: torch.from_numpy(it) for name, it in state.items()}, strict=False)
    x = rng.normal(size=(3, 11, 13)).astype(np.float32)
    weight = layer[0].weight.detach().numpy()
    margins = [(n - 1) * d // 2 for n, d in zip(kernel, dilation, strict=True)]
    padded = np.pad(x, ((0, 0), (margins[0],) * 2, (margins[1],) * 2))
    summed = np.zeros((2, 11, 13)) + bias[:, None, None]
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            at = row * dilation[0], column * dilation[1]
            seen = padded[:, at[0] : at[0] + 11, at[1] : at[1] + 13]
            summed += np.einsum("oi,iyx->oyx", weight[:, :, row, column], seen)
    each = [it[:, None, None] for it in (scale, mean, variance, shift)]
    expected = np.maximum(each[0] * (summed - each[1]) / np.sqrt(each[2] + 1e-3) + each[3], 0)
    with torch.inference_mode():
        np.testing.assert_allclose(layer(torch.from_numpy(x)[None])[0].numpy(), expected, atol=1e-4)


def test_a_batch_norm_follows_its_batches_as_slowly_as_keras_lets_it():
    layer = normed(torch.nn.Conv1d(1, 1, 1)).train()
    layer[0].weight.data[:], layer[0].bias.data[:] = 1, 0
    layer(torch.full((4, 1, 3), 5.0))
    assert layer[1].running_mean.item() == pytest.approx(0.99 * 0 + 0.01 * 5)


@pytest.mark.parametrize("gates", ["hard", "sigmoid"])
def test_an_lstm_is_worked_out_as_keras_documents_it(gates: str):
    rng = np.random.default_rng(1)
    made = BothWays(3, 4, gates)
    for it in made.parameters():
        it.data = torch.from_numpy(rng.normal(size=it.shape).astype(np.float32))
    rows = rng.normal(size=(6, 3)).astype(np.float32)
    gate = (lambda x: np.clip(0.2 * x + 0.5, 0, 1)) if gates == "hard" else (lambda x: 1 / (1 + np.exp(-x)))

    def one_way(way: int, rows: np.ndarray) -> np.ndarray:
        kernel, recurrent, bias = (it.detach().numpy()[way] for it in (made.kernel, made.recurrent, made.bias))
        cell = told = np.zeros(4)
        said = []
        for row in rows:
            i, f, c, o = np.split(row @ kernel + told @ recurrent + bias, 4)
            cell = gate(f) * cell + gate(i) * np.tanh(c)
            told = gate(o) * np.tanh(cell)
            said.append(told)
        return np.array(said)

    expected = one_way(0, rows) + one_way(1, rows[::-1])[::-1]
    with torch.inference_mode():
        np.testing.assert_allclose(made(torch.from_numpy(rows)[None])[0].numpy(), expected, atol=1e-5)


def test_with_true_sigmoids_the_lstm_is_pytorchs():
    made, theirs = BothWays(3, 4, "sigmoid"), torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    for way, suffix in enumerate(("", "_reverse")):
        parts = {"weight_ih": made.kernel[way].T, "weight_hh": made.recurrent[way].T, "bias_ih": made.bias[way]}
        for name, value in {**parts, "bias_hh": torch.zeros(16)}.items():
            getattr(theirs, f"{name}_l0{suffix}").data = value.detach().clone()
    rows = torch.randn(2, 9, 3)
    front, back = theirs(rows)[0].chunk(2, 2)
    assert torch.allclose(made(rows), front + back, atol=1e-6)


def test_an_lstm_forgets_nothing_to_begin_with():
    assert BothWays(3, 2).bias.tolist() == [[0, 0, 1, 1, 0, 0, 0, 0]] * 2


@pytest.mark.parametrize(("rows", "count"), [(75, 298), (7, 28), (1, 4), (9, 9), (10, 4)])
def test_rows_of_faces_are_drawn_out_from_the_first_to_the_last(rows: int, count: int):
    """As numpy.interp has it, both ends in place."""
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    at = np.linspace(0, rows - 1, count)
    expected = np.stack([np.interp(at, np.arange(rows), column) for column in x.T], 1)
    np.testing.assert_allclose(resampled(torch.from_numpy(x)[None], count)[0].numpy(), expected, atol=1e-5)


def test_rows_have_frequencies_in_order_and_filters_within():
    """What the seed flattens has that of filter c at frequency f at 8 f + c."""
    made = Heard(4).eval()
    spectrum = torch.randn(1, 5, 257, 2)
    with torch.inference_mode():
        maps = spectrum.permute(0, 3, 1, 2)
        for layer in made.children():
            maps = layer(maps)
        rows = made(spectrum)
    assert rows.shape == (1, 5, 2056)
    assert rows[0, 3, 8 * 100 + 5] == maps[0, 5, 3, 100]


def test_masks_have_frequency_part_and_speaker_in_the_order_of_the_seed():
    made = AudioOnly(3, **NARROW).eval()
    flat = []
    made.complex_mask.register_forward_hook(lambda layer, given, said: flat.append(said))
    with torch.inference_mode():
        masks = made(torch.randn(1, 5, 257, 2))
    assert masks[0, 2, 40, 1, 2] == flat[0][0, 2, (40 * 2 + 1) * 3 + 2]


def test_the_layers_over_faces_see_along_time_only():
    assert Seen(8)(torch.randn(2, 6, 8)).shape == (2, 6, 256)


@pytest.mark.parametrize("name", [it for it in NETWORKS if it != "compact"])
def test_networks_go_by_name(name: str):
    assert type(network(name, **NARROW)).__name__ == NETWORKS[name].place.partition(":")[2]
