"""The graph of a support vector machine says what scikit-learn says."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from phonoscope.core.errors import UsageError
from phonoscope.tasks.visemes.frame_model import FrameModel, retold, scaler_of, write_model
from phonoscope.tasks.visemes.svm import classifier, machine_of, told_by


def clouds(classes, rows=900, seed=0):
    rng = np.random.default_rng([seed, classes])
    which = rng.integers(0, classes, rows)
    return (rng.normal(0, 1, (classes, 13))[which] + rng.normal(0, 1.2, (rows, 13))).astype(np.float32) * 100, which


def kept(path, rows, classes, fit):
    scaler = scaler_of(rows[:600])
    fit.fit(scaler(rows[:600]), classes[:600])
    names = [str(it) for it in range(classes.max() + 1)]
    write_model(path, scaler, told_by(machine_of(fit, len(names))), {"classes": names})
    return scaler, FrameModel(path)


@pytest.mark.parametrize("classes", [2, 3, 5, 9, 15])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_graph_says_what_scikit_learn_says(tmp_path, classes, weighted):
    rows, which = clouds(classes)
    which = np.where((which == 0) & (np.arange(900) % 3 > 0), 1, which)  # classes are not of one size
    fit = classifier(8, 1 / 13, weighted=weighted)
    scaler, model = kept(tmp_path / "m.onnx", rows, which, fit)
    assert np.array_equal(model(rows), fit.predict(scaler(rows)))
    if classes > 2:
        np.testing.assert_allclose(model.scores(rows), fit.decision_function(scaler(rows)), atol=1e-5)


def test_the_scaler_is_that_of_what_is_learnt_and_bears_what_never_varies(tmp_path):
    rows, which = clouds(3)
    rows[:, 4] = 7.0
    scaler, model = kept(tmp_path / "m.onnx", rows, which, classifier(8, 1 / 13))
    np.testing.assert_allclose(scaler.mean, rows[:600].mean(0), rtol=1e-5)
    assert scaler.deviation[4] == 1 and np.isfinite(model.scores(rows)).all()


def test_it_says_of_itself_what_it_was_told_and_the_same_one_is_the_same_bytes(tmp_path):
    rows, which = clouds(3)
    kept(tmp_path / "a.onnx", rows, which, classifier(8, 1 / 13))
    kept(tmp_path / "b.onnx", rows, which, classifier(8, 1 / 13))
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    retold(tmp_path / "a.onnx", tmp_path / "c.onnx", {"classes": ["aa", "E", "ou"], "notes": "mine"})
    model = FrameModel(tmp_path / "c.onnx")
    assert model.names == ("aa", "E", "ou") and model.about["notes"] == "mine"
    assert np.array_equal(model.scores(rows), FrameModel(tmp_path / "a.onnx").scores(rows))
    onnx.checker.check_model(onnx.load(tmp_path / "c.onnx"), full_check=True)


def test_rows_do_not_depend_on_how_many_are_asked_at_a_time(tmp_path):
    rows, which = clouds(5, 5000)
    _, model = kept(tmp_path / "m.onnx", rows, which, classifier(8, 1 / 13))
    np.testing.assert_allclose(model.scores(rows)[[0, 2047, 2048, 4999]], model.scores(rows[[0, 2047, 2048, 4999]]))
    assert model.scores(rows[:0]).shape == (0, 5)


@pytest.mark.parametrize("content", [b"", b"no model", None])
def test_what_is_no_model_of_ours_is_refused(tmp_path, content):
    path = tmp_path / "m.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"there is no model|is no model that phonoscope train visemes has made"):
        FrameModel(path)


def test_without_scikit_learn_it_is_said_what_installs_it(monkeypatch):
    from phonoscope.models import extras

    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"the SVM needs .*: pip install 'phonoscope\[svm\]'"):
        classifier(8, 1 / 13)


def test_the_pairs_of_a_machine_stand_in_scikit_learns_order():
    rows, which = clouds(4)
    fit = classifier(8, 1 / 13)
    fit.fit(scaler_of(rows)(rows), which)
    machine = machine_of(fit, 4)
    fit.decision_function_shape = "ovo"
    some = scaler_of(rows)(rows[:50]).astype(np.float64)
    apart = ((some[:, None] - machine.vectors) ** 2).sum(2)
    decision = np.exp(-machine.gamma * apart) @ machine.weights + machine.biases
    np.testing.assert_allclose(decision, fit.decision_function(some), atol=1e-9)
    assert replace(machine, gamma=1.0).classes == 4
