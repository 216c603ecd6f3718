"""Seed 004's network: its size, its decay, its batches, and the graph that says the same."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from phonoscope.data.split import TEST, TRAINING, VALIDATION  # noqa: E402
from phonoscope.tasks.visemes.dnn import BATCH, dnn_task  # noqa: E402
from phonoscope.tasks.visemes.frame_model import FrameModel, scaler_of, write_model  # noqa: E402
from phonoscope.tasks.visemes.networks.dnn import L2, VisemeDnn, groups, told_by  # noqa: E402


@pytest.mark.parametrize(("classes", "parameters"), [(5, 17_797), (9, 18_057)])
def test_it_has_as_many_parameters_as_published(classes, parameters):
    assert sum(it.numel() for it in VisemeDnn(classes).parameters()) == parameters


def test_the_kernels_of_three_layers_decay_as_keras_has_it():
    network = VisemeDnn(5)
    rest, decayed = groups(network)
    assert [tuple(it.shape) for it in decayed["params"]] == [(64, 13), (128, 64), (64, 128)]
    assert decayed["weight_decay"] == 2 * L2, "the slope of L2 · w²"
    assert len(rest["params"]) == 5 and "weight_decay" not in rest


def test_the_graph_says_what_the_network_says(tmp_path):
    torch.manual_seed(0)
    rows = np.random.default_rng(0).normal(3, 200, (300, 13)).astype(np.float32)
    network, scaler = VisemeDnn(9).eval(), scaler_of(rows)
    tensors = {name: it.numpy() for name, it in network.state_dict().items()}
    write_model(tmp_path / "m.onnx", scaler, told_by(tensors), {"classes": list("abcdefghi")})
    with torch.no_grad():
        expected = network(torch.from_numpy(scaler(rows))).softmax(1).numpy()
    np.testing.assert_allclose(FrameModel(tmp_path / "m.onnx").scores(rows), expected, atol=1e-6)


def task_of(weighted=False):
    rng = np.random.default_rng(0)
    rows, classes = rng.normal(0, 1, (4000, 13)).astype(np.float32), rng.choice(3, 4000, p=[0.7, 0.2, 0.1])
    sets = {TRAINING: np.arange(3000), VALIDATION: np.arange(3000, 3400), TEST: np.arange(3400, 4000)}
    return rows, classes, dnn_task(rows, classes, sets, 3, seed=0, weighted=weighted)


def test_every_frame_of_a_set_is_shown_once_an_epoch_in_another_order_each():
    rows, _, task = task_of()
    first, second = (list(task.examples(TRAINING, epoch)) for epoch in (1, 2))
    assert [len(it.classes) for it in first] == [BATCH, BATCH, 3000 - 2 * BATCH]
    shown = [np.concatenate([it.rows.numpy() for it in batches]) for batches in (first, second)]
    assert not np.array_equal(*shown)
    for each in shown:
        assert np.array_equal(np.sort(each[:, 0]), np.sort(rows[:3000, 0]))
    assert [len(it.classes) for it in task.examples(TEST, 0)] == [600]


def test_weights_make_every_class_count_alike():
    _, _, task = task_of(weighted=True)
    batch = task.examples(VALIDATION, 0)[0]
    logits = torch.zeros(len(batch.classes), 3, requires_grad=True)
    task.loss(logits, batch, 1).total.backward()
    pushed = -torch.stack([logits.grad[batch.classes == at].sum(0)[at] for at in range(3)])
    assert pushed.max() / pushed.min() < 1.5, "by the 7 : 2 : 1 of the classes it would be 7"


def test_figures_are_of_all_batches():
    _, _, task = task_of()
    told = [(np.array([0, 0]), np.array([0, 1])), (np.array([1, 2]), np.array([1, 2]))]
    assert task.score(told) == {"accuracy": 0.75, "balanced_accuracy": pytest.approx(2.5 / 3)}
