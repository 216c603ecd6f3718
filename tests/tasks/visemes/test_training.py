"""The whole chain on made-up voices: from a folder to a model, its report and its figures."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from phonoscope.cli.main import main
from phonoscope.core.errors import UsageError
from phonoscope.core.visemes import VISEMES
from phonoscope.tasks.visemes.frame_model import FrameModel
from phonoscope.tasks.visemes.judging import judge
from phonoscope.tasks.visemes.params import FramesParams
from phonoscope.tasks.visemes.training import plan, train_visemes
from phonoscope.testing.voices import write_voices
from phonoscope.train.params import TrainParams

NINE = VISEMES[6:]
BY_NAME = r"(s\d+)_"


@pytest.fixture(scope="module")
def voices(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("DataSet")
    write_voices(folder, NINE, speakers=6, utterances=3, sounds=20)
    return folder


def planned(voices, model="svm", **settings):
    learning = TrainParams(lr=1e-3, lr_decay=1.0, epochs=3, workers=1)
    return plan(model, voices, examples=FramesParams(classes="9", speakers=BY_NAME, **settings), learning=learning)


@pytest.fixture(scope="module")
def run(voices, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "svm"
    arguments = ["train", "visemes", str(voices), "--to", str(folder), "--classes", "9", "--speakers", BY_NAME]
    assert main(arguments) == 0
    return folder


def test_a_leak_is_seen_frames_by_chance_look_better_than_new_speakers(run):
    results = json.loads((run / "metrics.json").read_text())["results"]
    assert list(results) == ["disjoint", "row"]
    assert results["row"]["accuracy"] > results["disjoint"]["accuracy"] + 0.05
    assert results["disjoint"]["majority"] < 0.2 < results["disjoint"]["balanced_accuracy"]


def test_the_page_shows_both_figures_the_confusion_and_all_counts(run):
    page, told = (run / "report.html").read_text(), json.loads((run / "metrics.json").read_text())
    for result in told["results"].values():
        assert f"{100 * result['accuracy']:.1f} %" in page and f"{100 * result['balanced_accuracy']:.1f} %" in page
    assert page.count("<svg") == 2 and page.count("<rect") == 2 * 81
    assert "points better" in page and "speakers kept apart (this model)" in page
    for name, count in told["counts"].items():
        assert count["labelled"] == count["unsure"] + count["unasked"] + count["kept"], name
        assert re.search(rf"<td>{name}</td><td>{count['labelled']}</td><td>{count['unsure']}</td>", page)
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', ""), "it needs no network"
    assert (run / "confusion-disjoint.svg").read_text().startswith("<svg xmlns")


def test_the_model_knows_its_classes_its_rules_and_whom_it_has_heard(run):
    model = FrameModel(run)
    assert model.names == NINE and model.about["confidence"] == 0.75 and model.about["recipe"] == "viseme"
    assert len(model.about["heard"]) == 15, "of 18 utterances those of one speaker are tested"
    assert "accuracy" in model.about["notes"]


def test_it_is_judged_on_what_it_has_not_heard_and_comes_to_the_figures_of_its_run(run, voices, capsys):
    told = json.loads((run / "metrics.json").read_text())["results"]["disjoint"]
    found = judge(run, voices, speakers=BY_NAME)
    assert (
        found.heard == 15 and found.figures.utterances == 3 and list(found.figures.speakers) == list(told["speakers"])
    )
    assert found.figures.frames >= told["frames"], "nothing is cut for balance"
    assert found.figures.balanced_accuracy == pytest.approx(told["balanced_accuracy"], abs=0.05)
    assert judge(run, voices, "all").figures.utterances == 18
    assert main(["evaluate", "visemes", str(run), str(voices), "--json", "--speakers", BY_NAME]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["confusion"] == found.figures.confusion
    assert main(["evaluate", "visemes", str(run / "model.onnx"), str(voices)]) == 0
    said = capsys.readouterr().out
    assert "passed over: 15 utterances" in said and "nn " in said


def test_the_same_command_again_makes_the_same_bytes_and_fits_nothing_anew(run, voices, monkeypatch, tmp_path):
    from phonoscope.tasks.visemes import svm

    files = ("model.onnx", "metrics.json", "report.html", "params.toml")
    before = [(run / name).read_bytes() for name in files]
    other = train_visemes(planned(voices), tmp_path / "svm").model.parent
    assert [(other / name).read_bytes() for name in files] == before
    monkeypatch.setattr(svm, "classifier", None)
    train_visemes(planned(voices), run)
    assert [(run / name).read_bytes() for name in files] == before


def test_other_settings_or_other_speech_want_another_folder(run, voices, tmp_path):
    with pytest.raises(UsageError, match=r"began with \[train\] confidence = 0.75, not 0.5"):
        train_visemes(planned(voices, confidence=0.5), run)
    write_voices(tmp_path, NINE, speakers=3, utterances=2)
    with pytest.raises(UsageError, match=r"began with \[data\] source"):
        train_visemes(planned(tmp_path), run)


def test_nothing_of_what_is_tested_is_in_the_scaler(voices, tmp_path, monkeypatch):
    from phonoscope.tasks.visemes import training
    from phonoscope.tasks.visemes.frame_model import scaler_of

    seen = []
    monkeypatch.setattr(training, "scaler_of", lambda rows: seen.append(rows) or scaler_of(rows))
    it = planned(voices)
    train_visemes(it, tmp_path / "svm")
    for how, rows in zip(("disjoint", "row"), seen, strict=True):
        sets = training.parted(it.frames, how, 0)
        tested = {row.tobytes() for row in it.frames.mfcc[sets["test"]]}
        assert not tested & {row.tobytes() for row in rows} and len(rows) + len(tested) == len(it.frames.classes)


def test_seed_004s_way_is_an_option_and_needs_no_speakers(voices, tmp_path, capsys):
    arguments = ["train", "visemes", str(voices), "--to", str(tmp_path / "seed"), "--classes", "5", "--split", "row"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "nobody says who speaks: utterances are kept apart" in said
    assert "test, frames by chance, this model" in said and "test, utterances kept apart: " in said
    assert judge(tmp_path / "seed" / "disjoint", voices).heard > 0
    assert main(["evaluate", "visemes", str(tmp_path / "seed"), str(voices)]) == 2
    assert "has learnt from all 18 utterances" in capsys.readouterr().err


def test_one_utterance_will_do_by_chance_and_it_is_said_what_is_lacking(voices, tmp_path, capsys):
    arguments = ["train", "visemes", str(voices), "--to", str(tmp_path / "one"), "--classes", "9", "--last", "s1_1"]
    assert main(arguments) == 2
    assert "there is one utterance only" in capsys.readouterr().err
    assert main([*arguments, "--split", "row"]) == 0
    assert "no other figure: there is one utterance only" in capsys.readouterr().out
    assert "there is one utterance only" in (tmp_path / "one" / "report.html").read_text()


def test_files_that_cannot_be_used_are_named_and_the_others_learnt_from(voices, tmp_path, capsys):
    write_voices(tmp_path, NINE, speakers=3, utterances=2)
    (tmp_path / "wav_data" / "s1_1.wav").unlink()
    (tmp_path / "label" / "s2_1.txt").write_text("1,2\n")
    assert main(["train", "visemes", str(tmp_path), "--to", str(tmp_path / "run"), "--classes", "9"]) == 0
    left = [line for line in capsys.readouterr().out.splitlines() if line.startswith("left out: ")]
    assert len(left) == 2 and "label/s1_1.txt: no wav_data/s1_1.wav" in left[0] and "s2_1.txt', line 1" in left[1]
    assert len(json.loads((tmp_path / "run" / "metrics.json").read_text())["left_out"]) == 2
    page = (tmp_path / "run" / "report.html").read_text()
    assert "no wav_data/s1_1.wav" in page


def refused(capsys, *arguments):
    assert main(["train", "visemes", *map(str, arguments)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_what_cannot_be_learnt_from_is_told_in_a_line(voices, tmp_path, capsys):
    to = ["--to", tmp_path / "run"]
    assert "there is no folder" in refused(capsys, tmp_path, *to)
    assert "no frame of PP is as sure" in refused(capsys, voices, *to, "--classes", "PP,aa,E")
    assert "hold only aa" in refused(capsys, voices, *to, "--classes", "PP,aa")
    assert "two visemes or more" in refused(capsys, voices, *to, "--classes", "aa")
    assert "no viseme 'axe'" in refused(capsys, voices, *to, "--classes", "aa,axe")
    assert "does not say who speaks" in refused(capsys, voices, *to, "--speakers", "(x)")
    assert "no viseme model 'rf' to train; there are svm, dnn, gru" in refused(
        capsys, voices, *to, "--visemes.model=rf"
    )
    write_voices(tmp_path / "bad", NINE, speakers=1, utterances=1)
    (tmp_path / "bad" / "label" / "s1_1.txt").write_text("")
    assert "none of 1 pairs" in refused(capsys, tmp_path / "bad", *to)
    assert not (tmp_path / "run").exists(), "what could not begin leaves nothing behind"


def test_settings_may_stand_in_a_file(voices, tmp_path, capsys):
    file = tmp_path / "mine.toml"
    file.write_text('[train]\nclasses = "5"\nmax-frames = 50\nlicence = "CC0-1.0"\n')
    assert main(["train", "visemes", str(voices), "--to", str(tmp_path / "r"), "--config", str(file), "--dry-run"]) == 0
    assert "svm, 5 classes" in capsys.readouterr().out and not (tmp_path / "r").exists()
    file.write_text("[train]\nclases = 5\n")
    assert "did you mean 'classes'?" in refused(capsys, voices, "--to", tmp_path / "r", "--config", file)


def test_the_network_learns_by_the_same_command_and_goes_on(voices, tmp_path):
    pytest.importorskip("torch")
    it = planned(voices, "dnn", balance="weights", max_frames=1500)
    first = train_visemes(it, tmp_path / "dnn")
    assert {"model.onnx", "weights.safetensors", "report.html"} <= {it.name for it in (tmp_path / "dnn/row").iterdir()}
    bytes_ = first.model.read_bytes()
    again = train_visemes(it, tmp_path / "dnn")
    assert again.model.read_bytes() == bytes_ and again.results == first.results
    scores = FrameModel(first.model).scores(it.frames.mfcc[:50])
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
    assert json.loads((tmp_path / "dnn" / "metrics.json").read_text())["model"] == "dnn"


def test_the_gru_learns_from_the_same_folder(voices, tmp_path, capsys):
    pytest.importorskip("torch")
    arguments = ["train", "visemes", str(voices), "--to", str(tmp_path / "gru"), "--visemes.model", "gru"]
    assert main([*arguments, "--epochs", "1", "--speakers", BY_NAME]) == 0
    said = capsys.readouterr().out
    assert "gru, 15 classes; 6 speakers" in said and "test: " in said
    assert (tmp_path / "gru" / "weights.safetensors").is_file()
    sound = next((voices / "wav_data").glob("*.wav"))
    assert main(["visemes", str(sound), "--as", "rhubarb-tsv", "--visemes.weights", str(tmp_path / "gru")]) == 0
    assert capsys.readouterr().out.startswith("0.00\t")


def test_a_row_of_the_gru_has_the_label_of_the_frame_in_its_middle():
    from phonoscope.corpora.viseme_labels import Labelled, frames
    from phonoscope.tasks.visemes.gru import spoken_of

    weights = np.repeat(np.eye(15, dtype=np.float32)[[1, 10]], 31, 0)[: frames(8000)]
    weights[40] = 1 / 15
    rows = spoken_of(Labelled("1", np.zeros(8000, np.float32), weights, ""), 0.75, "ana").rows
    assert rows.shape == (50,) and rows[0] == 1 and rows[-1] == 10
    middle = round((40 * 128 + 128) / 160 - 0.5)
    assert rows[middle] == -1 and np.flatnonzero(rows == 10)[0] == 25, "nobody is sure of that one"
