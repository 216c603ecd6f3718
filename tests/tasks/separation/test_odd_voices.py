"""Whatever a recording or a file is like: nothing is lost in silence, nothing that is no number is written.

One speaker only, unequal lengths, digital silence, NaN, clipping, a face without a voice, a voice without a face,
44.1 kHz, 0.3 s: through mixing, learning, separating and judging.
"""

from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from phonoscope.core.along import blank_table
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import TrackArrays, Tracks, TrackTable
from phonoscope.data.mix_job import write_mixtures
from phonoscope.data.mix_plan import PlanParams, plan_mixtures
from phonoscope.data.mixing import MixParams
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt
from phonoscope.store.recording import StoredRecording
from phonoscope.tasks.separation.evaluation import evaluate
from phonoscope.tasks.separation.examples import Batches
from phonoscope.tasks.separation.folders import paired
from phonoscope.tasks.separation.material import found_in
from phonoscope.tasks.separation.params import ExamplesParams
from phonoscope.tasks.separation.separating import separate
from phonoscope.testing.fakes import FakeSeparator
from phonoscope.testing.talkers import add_talker

GOOD = {"ana": 60, "bo": 95, "silent": 40, "clipped": 50, "brief": 7, "mute": 40, "unseen": 40, "cd": 40}


def heard(stored: StoredRecording, sound: Callable[[int], np.ndarray]) -> None:
    """Give a recording another sound."""
    samples = sound(stored.recording.num_samples)
    soundfile.write(stored.folder / "audio.flac", samples, 16000, subtype="PCM_16")


def told(stored: StoredRecording, was: str, now: str) -> None:
    """Let a recording be told of otherwise."""
    path = stored.folder / "recording.json"
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, now))
    stored.__dict__.pop("recording", None)


@pytest.fixture
def films(tmp_path) -> Store:
    """Two people who speak as they should, and six of whom each is odd in a way of their own; with lips."""
    store = Store.create(tmp_path / "films")
    for name, frames in GOOD.items():
        stored = add_talker(store, f"training/{name}/{name}", frames)
        tracks: Tracks = stored.load("tracks")
        frames_of, _ = blank_table(tracks)
        rows = {track.id: np.zeros((len(track), 2), np.float32) for track in tracks}
        table = TrackTable(frames_of.track, frames_of.frame, {"missing": np.zeros(len(frames_of.track), bool)})
        inputs = {"tracks": stored.receipts["tracks"].key}
        stored.save("lips", TrackArrays(rows, table), Receipt(key=name, step="lips", version=1, inputs=inputs))
    by = {stored.listed.speaker: stored for stored in (store[id] for id in store) if stored.listed}
    heard(by["silent"], np.zeros)
    heard(by["clipped"], lambda n: np.sign(np.sin(np.arange(n) / 9)))
    told(by["mute"], f'"num_samples": {by["mute"].recording.num_samples}', '"num_samples": 0')
    told(by["cd"], '"sample_rate": 16000', '"sample_rate": 44100')
    empty = Tracks(())
    by["unseen"].save("tracks", empty, Receipt(key="empty", step="tracks", version=1))
    frames_of, _ = blank_table(empty)
    table = TrackTable(frames_of.track, frames_of.frame, {"missing": np.zeros(0, bool)})
    none = Receipt(key="none", step="lips", version=1, inputs={"tracks": "empty"})
    by["unseen"].save("lips", TrackArrays({}, table), none)
    return Store(store.root)


WHY = {
    "mute": "it has no sound: a face without a voice",
    "unseen": "nobody is seen in it: a voice without a face",
    "cd": "it has 25 frames and 44100 samples a second, a voice 25 and 16000: prepare it into another store",
}


def named(left_out) -> dict[str, str]:
    return {name.partition("-")[0]: why for name, why in left_out.items()}


def test_mixtures_are_of_those_who_can_be_heard_and_all_others_are_named(films, tmp_path):
    plan = plan_mixtures(films, PlanParams(seconds=1), MixParams())
    silent, brief = "digital silence", "0.28 s, a mixture has 1.00 s"
    assert named(plan.left_out) == {**WHY, "silent": silent, "brief": brief}
    assert "clipped: 100" in named(plan.notes)["clipped"]
    assert {it.voice.speaker for it in plan.pieces} | named(plan.left_out).keys() == {*GOOD}, "nobody is lost"
    for it in write_mixtures(plan, tmp_path / "mixtures"):
        assert it.made and not it.failure
    for path in (tmp_path / "mixtures").rglob("*.wav"):
        assert np.isfinite(soundfile.read(path)[0]).all()


def test_a_network_learns_from_those_who_can_be_heard_and_all_others_are_named(films):
    p = ExamplesParams(frames=50, least_s=0.5, mixtures=40)
    found = found_in(films.root, p, sees=False)
    brief = "nobody speaks alone for 0.5 s in it, the longest stretch is 0.28 s"
    assert named(found.left_out) == {**WHY, "brief": brief}
    people = {it.speaker for it in found.material.voices["training"]}
    assert people | named(found.left_out).keys() == {*GOOD}, "nobody is lost"
    mixtures = Batches(found.material, "training", 1, p, 0, list)
    for number in range(p.mixtures):
        it = mixtures.mixture(number)
        assert np.isfinite(it.sound).all() and np.isfinite(it.voices).all()


def test_each_recording_is_separated_or_one_line_says_why_not(films, tmp_path):
    said = {}
    for stored in (films[id] for id in films):
        name = stored.folder.name.partition("-")[0]
        try:
            made, _ = separate(stored, FakeSeparator(), tmp_path / "voices", least_s=0.2, films=False)
        except UsageError as error:
            said[name] = str(error)
            continue
        (face,) = made.faces
        voice = soundfile.read(tmp_path / "voices" / face.wav)[0]
        assert len(voice) == stored.recording.num_samples and np.isfinite(voice).all()
        assert (face.level_db is None) == (name == "silent") and bool(face.clipped) == (name == "clipped")
    assert said.keys() == {"mute", "unseen", "cd"} and not any("\n" in it for it in said.values())
    assert "has no sound, so there are no voices to tell apart" in said["mute"]
    assert "shows no face, and voices are told apart by the faces" in said["unseen"]
    assert "has 44100: prepare the film in a store at --clock.sample-rate 16000" in said["cd"]
    brief = next(films[id] for id in films if id.startswith("brief"))
    with pytest.raises(UsageError, match="is there for 1 s: give a lower --least-s"):
        separate(brief, FakeSeparator(), tmp_path / "voices", films=False)


def test_a_separator_that_gives_no_numbers_writes_none(films, tmp_path):
    class Lost(FakeSeparator):
        def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
            return np.nan * super().__call__(audio, lips)

    with pytest.raises(ValueError, match=r"fake-separator must give .* finite numbers"):
        separate(films[next(iter(films))], Lost(), tmp_path / "voices", films=False)
    assert [*(tmp_path / "voices").iterdir()] == []


def test_each_mixture_is_judged_or_one_line_says_why_not(tmp_path):
    rng = np.random.default_rng(0)
    true = {number: rng.normal(0, 0.1, 16000) for number in (1, 2)}
    cases = {
        "good": ({}, 16000, ""),
        "alone": ({2: None}, 16000, ""),
        "clipped": ({1: np.sign(true[1])}, 16000, ""),
        "brief": ({number: it[:4800] for number, it in true.items()}, 16000, ""),
        "cd": ({}, 44100, ""),
        "shorter": ({1: true[1][:9000]}, 16000, "made/s1/shorter.wav is 0.438 s shorter than true/s1/shorter.wav"),
        "silent": ({2: np.zeros(16000)}, 16000, "made/s2/silent.wav is silent, so no ratio is defined"),
        "lost": ({2: np.full(16000, np.nan)}, 16000, "made/s2/lost.wav holds samples that are NaN or infinite"),
        "voiceless": ({2: "gone"}, 16000, "references s1, s2, but estimates s1"),
    }
    for name, (odd, rate, _) in cases.items():
        for number, sound in true.items():
            said = odd.get(number, sound)
            if said is None:
                continue
            short = len(true[number]) if isinstance(said, str) else len(said)
            known = sound if name == "shorter" else sound[:short]
            for folder, it in (("true", known), ("made", said)):
                if not isinstance(it, str):
                    path = tmp_path / folder / f"s{number}" / f"{name}.wav"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    soundfile.write(path, it, rate, subtype="FLOAT")
    found = evaluate(*paired(tmp_path / "true", tmp_path / "made"))
    why = {it.mixture: it.why for it in found.left_out}
    assert {name for name, (_, _, said) in cases.items() if said} == why.keys()
    assert all(said in why[name] and "\n" not in why[name] for name, (_, _, said) in cases.items() if said)
    assert {it.mixture for it in found.sources} | why.keys() == cases.keys(), "none is lost"
    figures = [it.figures.si_sdr_db for it in found.sources]
    assert not any(np.isnan(it) for it in figures if it is not None)
