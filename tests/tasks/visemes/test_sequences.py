"""The viseme network's task: what it is trained on, and that what was trained in PyTorch runs without it."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'phonoscope[train]'")

from phonoscope.core.phones import Alignment, Interval  # noqa: E402
from phonoscope.core.visemes import NOT_SCORED, SILENCE, VISEMES  # noqa: E402
from phonoscope.corpora.alignments import write_alignment  # noqa: E402
from phonoscope.data.split import TEST, TRAINING, VALIDATION  # noqa: E402
from phonoscope.models import viseme_graph as graph  # noqa: E402
from phonoscope.models.backends.viseme_gru import VisemeGru as Backend  # noqa: E402
from phonoscope.models.registry import load  # noqa: E402
from phonoscope.models.viseme_rows import BANKS, LOUD, QUIET, ROW, SAMPLE_RATE, log_mel, rows_of  # noqa: E402
from phonoscope.tasks.visemes.networks.gru import VisemeGru  # noqa: E402
from phonoscope.tasks.visemes.sequences import PIECE, Line, batches_of, viseme_task  # noqa: E402
from phonoscope.tasks.visemes.spoken import Spoken, spoken_in  # noqa: E402
from phonoscope.tasks.visemes.varied import VaryParams, faster, in_place, other_throat  # noqa: E402
from phonoscope.train.loop import train  # noqa: E402
from phonoscope.train.params import TrainParams  # noqa: E402

SHAPES = {"aa": (700, 1200), "ih": (300, 2300), "SS": (5000, 6500)}  # Hz, where each is loud


def babble(seconds: float, seed: int) -> Spoken:
    """Three shapes and pauses that anybody can tell apart, in an order by lot."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.choice([SILENCE, *map(VISEMES.index, SHAPES)], round(seconds * 10)), 10).astype(np.int8)
    time_s = np.arange(len(rows) * ROW) / SAMPLE_RATE
    audio = rng.normal(0, 1e-3, len(time_s))
    for name, tones in SHAPES.items():
        loud = np.repeat(rows == VISEMES.index(name), ROW)
        audio += loud * sum(0.1 * np.sin(2 * np.pi * tone * time_s) for tone in tones)
    return Spoken((audio * 32768).astype(np.int16), rows, f"voice {seed}")


def test_what_torch_computes_is_what_the_graph_computes(tmp_path):
    from safetensors.numpy import save_file

    torch.manual_seed(0)
    network = VisemeGru().eval()
    tensors = {name: it.numpy() for name, it in network.state_dict().items()}
    assert {name: it.shape for name, it in tensors.items()} == graph.entries()
    save_file(tensors, tmp_path / "fresh.safetensors")
    audio = babble(3, 0).audio.astype(np.float32) / 32768
    rows = torch.from_numpy(rows_of(audio))[None]
    with torch.no_grad():
        expected = network(rows)[0].softmax(1).numpy()
    told = load(f"viseme-gru:{tmp_path / 'fresh.safetensors'}")(audio)
    np.testing.assert_allclose(told, expected, atol=0.01)  # the graph keeps weights in a byte each


def test_a_network_learns_to_tell_shapes_apart_in_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr("phonoscope.tasks.visemes.sequences.PIECE", 100)
    monkeypatch.setattr("phonoscope.tasks.visemes.sequences.BATCH", 6)
    parts = {TRAINING: range(4), VALIDATION: range(4, 5), TEST: range(5, 6)}
    material = {split: [babble(6, seed) for seed in seeds] for split, seeds in parts.items()}
    task = viseme_task(material, vary=VaryParams(noise=0, echo=0, narrow=0), about=lambda found: {"figures": found})
    made = train(task, tmp_path, TrainParams(epochs=6, optimiser="adamw", lr=1e-2, clip=1.0, workers=1, device="cpu"))
    assert made.test["accuracy"] > 0.7
    told = Backend(made.weights)(material[TEST][0].audio.astype(np.float32) / 32768).argmax(1)
    assert (told == material[TEST][0].rows).mean() > 0.7


def test_batches_of_training_differ_by_epoch_and_not_by_run():
    material = {TRAINING: [babble(12, 0), babble(9, 1)]}

    def first(epoch: int) -> np.ndarray:
        return batches_of(material, TRAINING, epoch, VaryParams(), 0)[0].rows.numpy()

    np.testing.assert_array_equal(first(1), first(1))
    assert np.abs(first(1) - first(2)).max() > 0.1


@settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=6), start=st.integers(0, 150), count=st.integers(1, 90)
)
def test_a_line_is_its_utterances_one_after_the_other_and_then_silence(lengths, start, count):
    said = [
        Spoken(np.full(n * ROW - 7, 100 * (at + 1), np.int16), np.full(n, at % 15, np.int8), "")
        for at, n in enumerate(lengths)
    ]
    audio, rows = Line(said, range(len(said))).cut(start, count)
    expected = np.concatenate([*(it.rows for it in said), np.zeros(count + start, np.int8)])[start : start + count]
    np.testing.assert_array_equal(rows, expected)
    assert audio.shape == (count * ROW,)


def test_what_comes_too_late_to_be_told_does_not_count():
    batch = batches_of({VALIDATION: [babble(12, 0)]}, VALIDATION, 0, VaryParams(), 0)[0]
    assert (batch.visemes[:, PIECE - graph.AHEAD :] == NOT_SCORED).all()
    assert (batch.visemes[0, : PIECE - graph.AHEAD] != NOT_SCORED).all()


@settings(max_examples=20)
@given(by=st.floats(0.85, 1.15), seed=st.integers(0, 9))
def test_speech_that_is_played_faster_keeps_its_visemes_under_its_sounds(by, seed):
    said = babble(4, seed)
    audio, rows = faster(said.audio.astype(np.float32), said.rows, by, 300)
    loud = np.abs(audio).reshape(-1, ROW).mean(1) > 500
    assert (loud == (rows != SILENCE)).mean() > 0.93


@settings(max_examples=20)
@given(seed=st.integers(0, 999))
def test_varied_sound_is_a_sound_and_other_throats_give_levels(seed):
    rng = np.random.default_rng(seed)
    audio = babble(2, 0).audio.astype(np.float32) / 32768
    placed = in_place(audio, audio[::-1], VaryParams(noise=1, echo=1), rng)
    assert placed.shape == audio.shape
    assert placed.dtype == np.float32
    assert np.abs(placed).max() <= 1
    levels = other_throat(log_mel(placed), VaryParams(narrow=1), rng)
    assert levels.shape == log_mel(placed).shape
    assert levels.dtype == np.float32
    assert (levels >= QUIET).all()
    assert (levels <= LOUD).all()


def test_no_variation_leaves_levels_as_they_are():
    levels = log_mel(babble(2, 0).audio.astype(np.float32) / 32768)
    calm = VaryParams(throat=0, tilt_db=0, narrow=0)
    np.testing.assert_allclose(other_throat(levels, calm, np.random.default_rng(0)), levels, atol=0.01)


def test_a_longer_throat_moves_formants_down():
    levels = np.full((1, BANKS), 5, np.float32)
    levels[0, 40] = 15
    calm = VaryParams(throat=0.3, tilt_db=0, narrow=0)
    places = [int(other_throat(levels, calm, np.random.default_rng(seed)).argmax()) for seed in range(20)]
    assert min(places) < 38
    assert max(places) > 42


def test_a_folder_of_pairs_is_read_whatever_holds_the_times(tmp_path):
    import soundfile

    said = babble(2, 0)
    (tmp_path / "ana").mkdir()
    for name, suffix in (("one", ".TextGrid"), ("two", ".lab")):
        soundfile.write(tmp_path / "ana" / f"{name}.wav", said.audio, SAMPLE_RATE)
        spoken = Alignment(phones=(Interval(0.5, 1.0, "P"), Interval(1.0, 1.25, "AA")), duration_s=2.0)
        write_alignment(spoken, tmp_path / "ana" / f"{name}{suffix}")
    phones = [{"t": "P", "b": 0.5, "d": 0.5}, {"t": "AA", "b": 1.0, "d": 0.25}]
    words = {"t": "pa", "b": 0.0, "d": 2.0, "w": [{"t": "pa", "b": 0.5, "d": 0.75, "w": phones}]}
    soundfile.write(tmp_path / "ana" / "zwo[1].wav", said.audio, SAMPLE_RATE)
    (tmp_path / "ana" / "zwo[1].phone.json").write_text(json.dumps(words))
    soundfile.write(tmp_path / "alone.wav", said.audio, SAMPLE_RATE)
    one, two, three = spoken_in(tmp_path)
    np.testing.assert_array_equal(one.rows, two.rows)
    np.testing.assert_array_equal(one.rows, three.rows)
    assert one.speaker == "ana"
    expected = [SILENCE] * 50 + [VISEMES.index("PP")] * 50 + [VISEMES.index("aa")] * 25 + [SILENCE] * 75
    assert one.rows.tolist() == expected
