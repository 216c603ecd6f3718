"""From a store to voices: who is taken, who is not and why, and what a plan says before anything is learnt."""

import re
from dataclasses import replace

import numpy as np
import pytest

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import TrackArrays, TrackTable
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt
from phonoscope.tasks.separation.material import found_in
from phonoscope.tasks.separation.params import ExamplesParams, NetworkParams, ObjectiveParams
from phonoscope.tasks.separation.presets import PRESETS, preset
from phonoscope.tasks.separation.training import plan
from phonoscope.testing.talkers import VLOGS, talkers

P = ExamplesParams()


def save_rows(store: Store, name: str, model: str = "mouth@1", width: int = 3, **params) -> None:
    """Keep rows of track 0 of every recording: the number of the frame, from 0 on."""
    for id in store:
        stored = store[id]
        frames = len(stored.load("tracks")[0])
        rows = np.repeat(np.arange(frames, dtype=np.float32)[:, None], width, 1)
        table = TrackTable(np.zeros(frames, np.int32), np.arange(3, 3 + frames, dtype=np.int32), {})
        inputs = {"tracks": stored.receipts["tracks"].key}
        about = Receipt(key=name + id, step=name, version=1, params=params, inputs=inputs, card=model)
        stored.save(name, TrackArrays({0: rows}, table), about)


@pytest.fixture
def films(tmp_path):
    store = talkers(tmp_path / "films", VLOGS)
    save_rows(store, "lips")
    return store


def test_sets_are_those_of_the_corpus_and_rows_those_of_the_frames(films):
    found = found_in(films.root, P)
    assert {split: len(people) for split, people in found.material.people.items()} == {
        "training": 3,
        "validation": 2,
        "test": 2,
    }
    assert (found.model, found.material.width, found.left_out) == ("mouth@1", 3, {})
    voice = found.material.voices["training"][0]
    audio, rows = found.material.load(voice)
    assert rows[:, 0].tolist() == list(range(len(voice.span)))
    assert np.array_equal(audio, voice.audio())


def test_without_lips_the_command_that_makes_them_is_named(films):
    ids = [*films]
    films[ids[0]].forget("lips")
    found = found_in(films.root, P)
    assert found.left_out == {ids[0]: f"it has no lips: `phonoscope run lips {films.root}` makes them"}
    for id in ids:
        films[id].forget("lips")
    with pytest.raises(UsageError, match=r"has no voice to learn from: it has no lips: `phonoscope run lips"):
        found_in(films.root, P)


def test_embeddings_must_be_of_every_frame(films):
    faces = replace(P, rows="embeddings")
    with pytest.raises(
        UsageError, match=r"it has no embeddings: `phonoscope run embeddings .* --embeddings.per-track 0"
    ):
        found_in(films.root, faces)
    save_rows(films, "embeddings", "facenet-avgpool@1", 8, per_track=5)
    with pytest.raises(UsageError, match="embeddings of 5 frames a track only"):
        found_in(films.root, faces)
    save_rows(films, "embeddings", "facenet-avgpool@1", 8, per_track=0)
    found = found_in(films.root, faces)
    assert (found.model, found.material.width) == ("facenet-avgpool@1", 8)
    voice = found.material.voices["training"][0]
    assert found.material.load(voice)[1][:, 7].tolist() == list(range(len(voice.span)))


def test_a_face_that_is_hardly_seen_is_left_out_and_it_is_said_how_much(films):
    stored = films[next(iter(films))]
    rows = stored.load("lips")
    lost = np.array(rows[0])
    lost[: round(0.8 * len(lost))] = np.nan
    stored.save("lips", TrackArrays({0: lost}, rows.frames), stored.receipts["lips"])
    (why,) = found_in(films.root, P).left_out.values()
    assert why.startswith("a face is missing in 8") and why.endswith("% of the frames, 50% are allowed")
    assert found_in(films.root, replace(P, max_missing=0.9)).left_out == {}


def test_rows_by_two_models_are_refused(films):
    other = talkers(films.root, {"training/new/talk": 60})
    stored = next(other[id] for id in other if id.startswith("talk") and "lips" not in other[id].fresh)
    table = TrackTable(np.zeros(60, np.int32), np.arange(3, 63, dtype=np.int32), {})
    about = Receipt(key="other", step="lips", version=1, card="lr-asd-lips@1",
                    inputs={"tracks": stored.receipts["tracks"].key})  # fmt: skip
    stored.save("lips", TrackArrays({0: np.zeros((60, 128), np.float32)}, table), about)
    with pytest.raises(
        UsageError, match=r"lips of .* are by lr-asd-lips@1 and mouth@1: `phonoscope run lips .* --lips.model NAME"
    ):
        found_in(films.root, P)


@pytest.mark.parametrize("how", [{"sees": False}, {"blind": True}])
def test_who_looks_at_no_faces_needs_none(tmp_path, how):
    store = talkers(tmp_path / "films", VLOGS)
    found = found_in(store.root, P, **how)
    _, rows = found.material.load(found.material.voices["test"][0])
    assert found.model == "" and (rows.shape[1] == 0 or np.isnan(rows).all())


def test_one_person_is_not_enough(tmp_path, films):
    with pytest.raises(UsageError, match="has 3 speakers in the split 'training', mixtures want 4"):
        plan("compact", films.root, examples=replace(P, speakers=4))
    alone = talkers(tmp_path / "alone", {"training/ana/talk": 60})
    save_rows(alone, "lips")
    with pytest.raises(UsageError, match="has 1 speaker in the split 'training', mixtures want 2"):
        plan("compact", alone.root)


def test_a_split_that_leaves_too_few_in_a_set_names_a_seed_that_does_not(tmp_path):
    store = talkers(tmp_path / "films", {f"any/p{at}/talk{at}": 30 for at in range(9)}, listed=False)
    save_rows(store, "lips")
    with pytest.raises(UsageError, match=r"has [01] speakers? in .* mixtures want 2 .* train with --split-seed") as no:
        plan("compact", store.root)
    (seed,) = re.findall(r"--split-seed (\d+)", str(no.value))
    planned = plan("compact", store.root, examples=replace(P, split_seed=int(seed)))
    assert min(len(people) for people in planned.found.material.people.values()) >= 2


def test_a_run_knows_what_it_learns_from_and_not_only_how_much(films):
    before = plan("compact", films.root).recipe["data"]
    assert plan("compact", films.root).recipe["data"] == before
    stored = films[next(iter(films))]
    rows = stored.load("lips")
    stored.save("lips", rows, replace(stored.receipts["lips"], key="made otherwise"))
    after = plan("compact", films.root).recipe["data"]
    assert [name for name in before if before[name] != after[name]] == ["contents"]


def test_what_is_no_store_and_what_is_empty_is_one_line(tmp_path):
    with pytest.raises(UsageError, match="is no store: `phonoscope prepare FILM --to"):
        found_in(tmp_path, P)
    with pytest.raises(UsageError, match="has no voice to learn from: it has no recordings"):
        found_in(Store.create(tmp_path / "films").root, P)


def test_another_clock_is_left_out_and_said(tmp_path):
    store = talkers(tmp_path / "films", VLOGS)
    for id in store:
        path = store[id].folder / "recording.json"
        path.write_text(path.read_text().replace('"fps": "25"', '"fps": "30"'))
    with pytest.raises(UsageError, match="no voice to learn from: it has 30 frames"):
        found_in(store.root, P, sees=False)


def test_a_plan_says_how_much_there_is(films):
    lines = plan("compact", films.root, examples=replace(P, mixtures=7, judged=5)).told()
    assert lines[0] == "compact, 2 voices, lips by mouth@1, from fresh weights"
    minutes = sum(frames for name, frames in VLOGS.items() if name.startswith("training")) / 25 / 60
    assert lines[1] == f"training   3 people, {minutes:.1f} min in 6 stretches; 7 mixtures"
    assert lines[3].startswith("test       2 people") and lines[3].endswith("5 mixtures")


def test_networks_are_made_as_the_material_wants_them(films):
    save_rows(films, "embeddings", "facenet-avgpool@1", 8, per_track=0)
    faces = replace(P, rows="embeddings", speakers=2)
    masks = {"objective": ObjectiveParams(objective="discriminative")}
    assert plan("compact", films.root).shape == {"lips": 3}
    assert plan("looking-to-listen", films.root, examples=faces, **masks).shape == {
        "speakers": 2,
        "gates": "hard",
        "faces": 8,
    }
    assert plan("audio-only", films.root, **masks).shape == {"speakers": 2, "gates": "hard"}


def test_settings_that_do_not_go_together_are_one_line(films):
    with pytest.raises(UsageError, match="'compact' makes voices, which learn by si-sdr, not by discriminative"):
        plan("compact", films.root, objective=ObjectiveParams(objective="discriminative"))
    with pytest.raises(UsageError, match="'audio-only' makes masks, which learn by discriminative or mask-mse"):
        plan("audio-only", films.root)
    with pytest.raises(UsageError, match="'looking-to-listen' cannot be made blind"):
        plan("looking-to-listen", films.root, network=NetworkParams(blind=True),
             objective=ObjectiveParams(objective="mask-mse"))  # fmt: skip
    with pytest.raises(UsageError, match="there is no file of weights"):
        plan("compact", films.root, "nowhere.safetensors")
    with pytest.raises(UsageError, match=r"snr_db must be a lower and an upper bound, got 5.0 -5.0"):
        replace(P, snr_db=(5.0, -5.0))


def test_presets_are_the_seeds():
    learning, examples, objective = PRESETS["looking-to-listen"]
    assert [learning.lr_at(epoch, 0) for epoch in (1, 6, 11)] == pytest.approx([1e-5, 2e-6, 1e-6])
    assert (examples.batch, examples.frames, examples.gains, learning.epochs) == (2, 75, "equal", 100)
    assert (objective.objective, objective.gamma, objective.any_order) == ("discriminative", 0.1, False)
    learning, examples, objective = PRESETS["audio-only"]
    assert (learning.lr, examples.batch, objective.any_order) == (5e-5, 8, True)


def test_who_sees_nothing_may_give_voices_in_any_order():
    assert preset("compact", NetworkParams(blind=True), fine_tune=False)[2].any_order
    assert not preset("compact", NetworkParams(), fine_tune=False)[2].any_order
