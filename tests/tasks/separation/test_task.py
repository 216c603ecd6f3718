"""Separation as a task: mixtures that repeat, networks that learn, runs that go on, controls that tell."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402

from phonoscope.core.errors import UsageError  # noqa: E402
from phonoscope.models import load  # noqa: E402
from phonoscope.models.state_dicts import StateDict  # noqa: E402
from phonoscope.tasks.separation.examples import FRAME, Batches, Mixed, draw, varied  # noqa: E402
from phonoscope.tasks.separation.judging import cases_of, judged, table  # noqa: E402
from phonoscope.tasks.separation.networks.registry import NETWORKS, Entry, network  # noqa: E402
from phonoscope.tasks.separation.params import ExamplesParams, ObjectiveParams  # noqa: E402
from phonoscope.tasks.separation.task import (  # noqa: E402
    batch_of,
    masked,
    separation_task,
    separator_of,
    true_masks,
)
from phonoscope.train.begin import begin_with  # noqa: E402
from phonoscope.train.keeping import keep_weights  # noqa: E402
from phonoscope.train.loop import train  # noqa: E402
from phonoscope.train.params import TrainParams  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
from stand_in import Mouths, material  # noqa: E402

FEW = ExamplesParams(frames=50, batch=4, mixtures=24, judged=12)
QUICK = TrainParams(epochs=3, lr=0.3, lr_decay=1.0, workers=1)
NARROW = {"filters": 2, "cells": 4, "dense": 4, "speakers": 2}


@pytest.fixture(autouse=True)
def mouths(monkeypatch):
    monkeypatch.setitem(NETWORKS, "mouths", Entry(f"{Mouths.__module__}:Mouths", "voices", "lips"))


def task_of(model: str = "mouths", p: ExamplesParams = FEW, shape: dict | None = None, **more):
    objective = more.pop("objective", ObjectiveParams())
    return separation_task(model, material(), p, objective, shape={"lips": 2} if shape is None else shape, **more)


def test_faces_beat_the_mixture_in_seconds(tmp_path):
    """The law of every task: its first test trains, and is better than what anybody has for nothing."""
    trained = train(task_of(), tmp_path, QUICK)
    assert trained.validation["si_sdri_db"] > 3
    assert trained.test["si_sdri_db"] > 3
    with safe_open(trained.weights, "np") as file:
        assert json.loads(file.metadata()["phonoscope"])["figures"]["test"] == trained.test


def test_the_compact_network_beats_the_mixture_in_seconds(tmp_path):
    p = replace(FEW, frames=25, mixtures=48, judged=8, hide=0.0)
    task = task_of("compact", p, {"lips": 2, "width": 8, "seen": 8})
    assert train(task, tmp_path, TrainParams(epochs=1, lr=0.01, clip=5, workers=1)).test["si_sdri_db"] > 2


def test_the_base_install_says_the_same_with_a_runs_weights(tmp_path):
    """The network as it is trained, and as it runs without torch, on the same file."""
    made = network("compact", lips=2, width=8, seen=8)
    file = keep_weights(tmp_path, made, {"network": "compact", "lips": "mouth"})
    it = draw(material(), "test", replace(FEW, frames=25), np.random.default_rng(0))
    rows = it.rows.copy()
    rows[1, 10:] = np.nan
    said = separator_of(made, "compact")(it.sound, rows)
    np.testing.assert_allclose(load("compact", weights=file)(it.sound, rows), said, atol=1e-5)


@pytest.mark.parametrize("speakers", [2, 3])
def test_the_compact_network_takes_any_number_of_faces_and_none(speakers: int):
    p = replace(FEW, frames=10, speakers=speakers, mixtures=2)
    seeing, blind = network("compact", lips=2), network("compact", lips=2, blind=True)
    for task, made in ((task_of(p=p), seeing), (task_of(p=p, blind=True), blind)):
        batch = task.examples("training", 1)[0]
        said = task.forward(made, batch)
        assert said.shape == batch.voices.shape and task.loss(said, batch, 1).total.isfinite()


def test_a_run_that_is_taken_up_again_ends_with_the_same_bytes(tmp_path):
    once = train(task_of(), tmp_path / "once", QUICK)
    train(task_of(), tmp_path / "twice", replace(QUICK, epochs=1))
    assert train(task_of(), tmp_path / "twice", QUICK).weights.read_bytes() == once.weights.read_bytes()


def test_controls_tell_a_network_that_looks_from_one_that_does_not():
    made = Mouths()
    made.told.weight.data, made.told.bias.data = torch.tensor([[8.0, 0.0]]), torch.tensor([-4.0])
    mixtures = Batches(material(), "validation", 0, FEW, 0, list)
    seen = table(judged(separator_of(made.eval(), "mouths"), cases_of(mixtures)))
    assert seen["voices"] == 24
    assert seen["swapped"] >= 0.9
    assert seen["si_sdri_db"] > seen["others_si_sdri_db"] + 3
    made.told.weight.data[:] = 0
    blind = table(judged(separator_of(made, "mouths"), cases_of(mixtures)))
    assert blind["si_sdri_db"] == pytest.approx(blind["others_si_sdri_db"]) == pytest.approx(0, abs=1e-4)
    assert 0.2 < blind["swapped"] < 0.8


def test_nobody_is_a_stranger_where_all_are_heard():
    mixtures = Batches(material(), "test", 0, FEW, 0, list)
    assert {it.others for it in cases_of(mixtures)} == {None}


@pytest.mark.parametrize("model", ["looking-to-listen", "audio-only"])
@pytest.mark.parametrize("objective", ["discriminative", "mask-mse"])
def test_networks_that_make_masks_learn_and_are_judged_by_sound(model: str, objective: str, tmp_path):
    p = replace(FEW, frames=12, batch=2, mixtures=2, judged=2)
    shape = NARROW | ({"faces": 2} if model == "looking-to-listen" else {})
    task = task_of(model, p, shape, objective=ObjectiveParams(objective=objective, any_order=model == "audio-only"))
    trained = train(task, tmp_path, TrainParams(epochs=1, lr=1e-3, workers=1))
    assert {"loss", "si_sdri_db", "si_sdr_db"} <= set(trained.test)
    assert all(np.isfinite(it) for it in trained.test.values())


def test_true_masks_give_the_voices_back():
    """But for their ends, and where masks beyond ±10 were cut."""
    it = draw(material(), "training", FEW, np.random.default_rng(0))
    voices = masked(it.sound, true_masks(it))
    inner = slice(60, -600)  # no row of a spectrum sees the ends
    assert voices.shape == it.voices.shape and voices.dtype == np.float32
    for made, true in zip(voices, it.voices, strict=True):
        error = np.sum((made - true)[inner] ** 2) / np.sum(true[inner] ** 2)
        assert 10 * np.log10(error) < -15


def test_the_same_numbers_give_the_same_mixtures_and_others_others():
    def mixtures(split: str, epoch: int, seed: int = 0, p: ExamplesParams = FEW) -> list[Mixed]:
        them = Batches(material(), split, epoch, p, seed, list)
        return [it for number in range(len(them)) for it in them[number]]

    def alike(a: list[Mixed], b: list[Mixed]) -> list[bool]:
        return [np.array_equal(x.sound, y.sound) for x, y in zip(a, b, strict=True)]

    assert all(alike(mixtures("training", 1), mixtures("training", 1)))
    assert not any(alike(mixtures("training", 1), mixtures("training", 2)))
    assert not any(alike(mixtures("training", 1), mixtures("training", 1, seed=1)))
    assert all(alike(mixtures("validation", 0), mixtures("validation", 0, seed=1)))
    other = replace(FEW, mix_seed=1)
    assert not any(alike(mixtures("validation", 0), mixtures("validation", 0, p=other)))


def test_batches_hold_every_mixture_once_and_the_last_may_be_smaller():
    them = Batches(material(), "training", 1, replace(FEW, mixtures=7, batch=3), 0, list)
    assert [len(them[at]) for at in range(len(them))] == [3, 3, 1]
    with pytest.raises(IndexError):
        them[3]


def test_batches_do_not_depend_on_how_many_are_drawn_at_once():
    one, three = (Batches(material(), "training", 1, replace(FEW, batch=n), 0, list) for n in (1, 3))
    assert np.array_equal(one[4][0].sound, three[1][1].sound)


@pytest.mark.parametrize("frames", [7, 50, 120])
@pytest.mark.parametrize("speakers", [2, 3])
def test_voices_are_of_different_people_and_add_up(frames: int, speakers: int):
    p = replace(FEW, frames=frames, speakers=speakers)
    for seed in range(5):
        it = draw(material(), "training", p, np.random.default_rng(seed))
        assert len(set(it.speakers)) == speakers
        assert it.sound.shape == (frames * FRAME,) and it.rows.shape == (speakers, frames, 2)
        np.testing.assert_allclose(it.voices.sum(0), it.sound, atol=1e-6)
        for voice, rows in zip(it.voices, it.rows, strict=True):
            heard = np.abs(voice).reshape(frames, FRAME).max(1) > 0
            assert not heard[np.isnan(rows).any(1)].any(), "around a shorter voice is silence, and its face not seen"
            assert np.array_equal(heard, np.nan_to_num(rows[:, 0]) > 0), "sound and face go together"


def test_faces_of_training_are_hidden_and_those_of_validation_are_not():
    p = replace(FEW, frames=30, hide=1.0, pace=1.0)
    learnt, known = (Batches(material(), split, 1, p, 0, list).mixture(0) for split in ("training", "validation"))
    assert all(np.isnan(rows).any() for rows in learnt.rows)
    assert not np.isnan(known.rows).any()
    assert np.isfinite(learnt.sound).all()


def test_a_voice_that_is_faster_takes_its_face_along():
    """Sound and mouth stay together; what is made is as long as asked for."""
    p = replace(FEW, frames=40, pace=1.5, tilt=0.0, hide=0.0, still=0.0)
    voice = material(training=("ana", "bo")).voices["training"][1]
    for seed in range(8):
        sound, rows = varied(voice.audio(), voice.face(), 40, np.random.default_rng(seed), p)
        assert sound.shape == (40 * FRAME,) and rows.shape == (40, 2)
        loud = np.abs(sound).reshape(40, FRAME).mean(1)
        assert np.corrcoef(loud, rows[:, 0])[0, 1] > 0.9


def test_what_is_not_varied_is_what_it_was():
    p = replace(FEW, frames=90, pace=1.0, tilt=0.0, hide=0.0, still=0.0)
    voice = material(training=("ana", "bo")).voices["training"][1]
    sound, rows = varied(voice.audio(), voice.face(), 90, np.random.default_rng(0), p)
    assert np.array_equal(sound, voice.audio()) and np.array_equal(rows, voice.face())


def test_a_face_that_does_not_speak_does_not_move():
    p = replace(FEW, frames=20, still=1.0, hide=0.0)
    it = Batches(material(), "training", 1, p, 0, list).mixture(0)
    assert not it.voices[-1].any() and np.array_equal(it.rows[-1], np.repeat(it.rows[-1, :1], 20, 0))
    assert it.voices[0].any() and np.isfinite(it.sound).all()


def test_too_few_people_are_one_line():
    with pytest.raises(UsageError, match="'training' has 1 speakers, mixtures want 2"):
        draw(material(training=("ana",)), "training", FEW, np.random.default_rng(0))


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_a_voice_that_is_no_number_is_one_line(spoilt: float):
    found = material(training=("ana", "bo"))
    voice = found.voices["training"][0]
    object.__setattr__(voice, "audio", lambda: np.full(len(voice.span) * FRAME, spoilt, np.float32))
    with pytest.raises(UsageError, match="voice of 'ana' holds samples that are NaN"):
        found.load(voice)


def test_what_was_read_is_kept_while_there_is_room():
    found = material()
    first, second = found.voices["training"][:2]
    kept = found.load(first)
    assert found.load(first)[0] is kept[0]
    found._kept.most_bytes = 1
    found.load(second)
    assert found.load(first)[0] is not kept[0]
    assert np.array_equal(found.load(first)[0], kept[0])


def test_a_blind_network_is_shown_nothing():
    shown = []

    class Watching(Mouths):
        def forward(self, sound, lips):
            shown.append(lips)
            return super().forward(sound, lips)

    task = task_of(blind=True, objective=ObjectiveParams(any_order=True))
    batch = task.examples("training", 1)[0]
    task.forward(Watching(), batch)
    assert shown[0].isnan().all() and not batch.faces.isnan().all()


def test_weights_are_taken_whole_or_not_at_all():
    source, made = Mouths(), Mouths()
    tensors = {name: it.numpy() for name, it in source.state_dict().items()}
    assert begin_with(made, StateDict(tensors, {}), "mouths") == []
    assert torch.equal(made.told.weight, source.told.weight)
    half = StateDict({"told.bias": tensors["told.bias"]}, {})
    with pytest.raises(UsageError, match="missing"):
        begin_with(Mouths(), half, "mouths")
    assert begin_with(Mouths(), half, "mouths", partial=True) == ["told.weight"]


def test_unknown_networks_and_shapes_are_one_line():
    with pytest.raises(UsageError, match="no network 'tacit' to train; there are compact, looking-to-listen"):
        network("tacit")
    with pytest.raises(UsageError, match="'audio-only' has no faces; it takes speakers"):
        network("audio-only", faces=3)


def test_batches_of_networks_that_make_voices_have_no_spectra():
    it = draw(material(), "training", FEW, np.random.default_rng(0))
    assert batch_of([it, it], False).spectrum.numel() == 0
    assert batch_of([it, it], True).masks.shape == (2, 198, 257, 2, 2)
