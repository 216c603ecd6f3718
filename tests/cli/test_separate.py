"""`phonoscope separate`: what it writes, that it goes on where it was, and what it says when it cannot."""

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from safetensors.numpy import save_file

from phonoscope import Store, prepare
from phonoscope.cli.main import main
from phonoscope.media.audio import read_audio
from phonoscope.media.probe import probe
from phonoscope.metrics.separation import si_sdr
from phonoscope.models import registry
from phonoscope.models.backends.looking_to_listen_graph import Shape, entries
from phonoscope.store.receipts import write_receipts
from phonoscope.testing import fakes
from phonoscope.testing.film import flash_and_beep
from phonoscope.testing.puppet import empty_room, film, one_head


class Parting(fakes.FakeSeparator):
    """The fake separator, by rows that any process can make."""

    lips = "mouth"


@pytest.fixture(scope="module", autouse=True)
def parting() -> Iterator[None]:
    """The separator that is preferred parts each frame's sound by how its mouths look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fakes, "Parting", Parting, raising=False)
        patch.setitem(registry.OURS, "fake-separator", "phonoscope.testing.fakes:Parting")
        patch.setitem(registry.PREFERRED, "voice_separator", ("fake-separator",))
        yield


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch) -> Path:
    """An empty folder that we are in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def films(puppets, tmp_path_factory) -> Path:
    """A store of the two puppets, with faces and lips."""
    root = tmp_path_factory.mktemp("separate") / "films"
    (outcome,) = prepare([puppets], root, ("lips", "thumbs")).carry_out()
    assert outcome.failure is None
    return root


@pytest.fixture(scope="module")
def voices(films, tmp_path_factory) -> tuple[Path, str]:
    """The folder of its voices, and what was said when they were written."""
    to, said = tmp_path_factory.mktemp("separate") / "voices", io.StringIO()
    with redirect_stdout(said):
        assert main(["separate", str(films), "--to", str(to)]) == 0
    return to, said.getvalue()


def heard(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32")[0]


def test_each_face_has_a_wav_a_film_and_a_portrait(films, voices):
    (id,), (to, told) = Store(films), voices
    stored = Store(films)[id]
    names = sorted(path.name for path in to.iterdir())
    per_face = [f"{id}_face{n}{end}" for n in (0, 1) for end in (".jpg", ".mp4", ".wav")]
    assert names == sorted([f"{id}.json", *per_face, f"{id}_mixture.flac", "report.html"])
    said = told.splitlines()
    assert said[0].startswith(f"made    {id}: 4.0 s, 2 voices: face 0, face 1, in ")
    assert said[-1] == f"look at {to}/report.html"
    parts = np.stack([heard(to / f"{id}_face{n}.wav") for n in (0, 1)])
    assert parts.shape == (2, stored.recording.num_samples)
    np.testing.assert_allclose(parts.sum(0), stored.audio(), atol=2e-4)
    assert np.array_equal(heard(to / f"{id}_mixture.flac"), stored.audio())


def test_voices_are_not_written_among_the_recordings_of_a_store(films, capsys):
    assert main(["separate", str(films), "--to", str(films)]) == 2
    assert "is a store, whose report.html stays its own" in capsys.readouterr().err


@pytest.mark.parametrize("face", [0, 1])
def test_a_face_s_film_has_the_film_s_pictures_and_its_voice_in_time(films, voices, face):
    (id,) = Store(films)
    stored, path = Store(films)[id], voices[0] / f"{id}_face{face}.mp4"
    found = probe(path, Fraction(25), 16000)
    assert (found.num_frames, found.av_start, found.width) == (100, 0, 640)
    voice = heard(path.with_suffix(".wav"))
    filmed = np.concatenate([*read_audio(path, found.timeline, found.num_samples, 16000)])
    assert si_sdr(filmed, voice) > 12, "as good as AAC is"
    assert si_sdr(np.roll(filmed, 160), voice) < 5, "and in time"
    with av.open(path) as made, av.open(stored.source) as source:
        assert made.streams.video[0].codec_context.name == source.streams.video[0].codec_context.name == "h264"
        assert made.streams.audio[0].codec_context.name == "aac"


def test_a_film_is_taken_into_a_store_beside_its_voices(puppets, capsys):
    assert main(["separate", str(puppets), "--to", "voices", "--no-film"]) == 0
    (id,) = Store("voices/store")
    assert "lips" in Store("voices/store")[id].fresh
    assert sorted(path.name for path in Path("voices").glob("*.wav")) == [f"{id}_face0.wav", f"{id}_face1.wav"]
    assert not [*Path("voices").glob("*.mp4")]
    capsys.readouterr()
    assert main(["separate", str(puppets), "--to", "voices", "--no-film"]) == 0
    assert capsys.readouterr().out.startswith(f"kept    {id}: 2 voices: face 0, face 1\n")


def test_what_is_fresh_is_kept_and_what_is_not_is_made_anew(films, capsys, monkeypatch):
    (id,) = Store(films)

    def state(*more: str) -> str:
        assert main(["separate", str(films), "--to", "voices", *more]) == 0
        return capsys.readouterr().out.split()[0]

    assert state("--no-film") == "made"
    times = {path: path.stat().st_mtime_ns for path in Path("voices").glob(f"{id}*")}
    assert state("--no-film") == "kept"
    assert times == {path: path.stat().st_mtime_ns for path in times}
    Path(f"voices/{id}_face1.wav").unlink()
    assert state("--no-film") == "made"
    assert state() == "made", "now films are wanted, too"
    assert state() == "kept"
    assert state("--no-film") == "kept"
    monkeypatch.setattr(Parting, "card", replace(Parting.card, version="2"))
    assert state("--no-film") == "made"
    assert state("--no-film", "--force") == "made"


def test_a_stop_in_between_leaves_no_file_that_is_not_whole(films, monkeypatch):
    heard_before = Parting.__call__
    calls = iter([True, True, False])

    def stops(self: Parting, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
        if not next(calls):
            raise KeyboardInterrupt
        return heard_before(self, audio, lips)

    monkeypatch.setattr(Parting, "__call__", stops)
    assert main(["separate", str(films), "--to", "voices"]) == 130
    assert [*Path("voices").iterdir()] == []
    monkeypatch.setattr(Parting, "__call__", heard_before)
    assert main(["separate", str(films), "--to", "voices"]) == 0


def test_only_the_faces_that_are_named_are_written_but_all_are_told_apart(films, voices, capsys):
    (id,) = Store(films)
    assert main(["separate", str(films), "--to", "one", "--no-film", "--faces", "1", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert [face["face"] for face in told["faces"]] == [1]
    assert (told["state"], told["others"], told["recording"]) == ("made", [0], id)
    assert told == {**told, **json.loads(Path(f"one/{id}.json").read_text())}
    assert Path(f"one/{id}_face1.wav").read_bytes() == (voices[0] / f"{id}_face1.wav").read_bytes()
    assert not Path(f"one/{id}_face0.wav").exists()


def test_one_recording_of_a_store_can_be_named_by_its_folder(films):
    (id,) = Store(films)
    assert main(["separate", str(films / "recordings" / id), "--to", "voices", "--no-film"]) == 0
    assert Path(f"voices/{id}_face0.wav").exists()


def test_a_film_with_one_face_gives_its_voice(capsys):
    path = film(Path("solo.mp4"), one_head(2.0))
    assert main(["separate", str(path), "--to", "voices"]) == 0
    assert "1 voice: face 0" in capsys.readouterr().out


def test_sound_of_other_rates_and_channels_is_heard(puppets: Path):
    with av.open(puppets) as source, av.open("stereo.mkv", "w") as made:
        video = made.add_stream_from_template(source.streams.video[0])
        sound = made.add_stream("flac", rate=44100)
        sound.layout = "stereo"
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = video
                made.mux(packet)
        noise = np.random.default_rng(0).integers(-3000, 3000, (1, 2 * 44100 * 4)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(noise, "s16", "stereo")
        frame.sample_rate, frame.pts = 44100, 0
        for packet in [*sound.encode(frame), *sound.encode(None)]:
            made.mux(packet)
    assert main(["separate", "stereo.mkv", "--to", "voices"]) == 0
    for face in Path("voices").glob("*.wav"):
        assert soundfile.info(face).samplerate == 16000
        assert probe(face.with_suffix(".mp4"), None, 16000).num_samples == soundfile.info(face).frames == 64000


def test_a_store_whose_film_is_gone_gives_voices_without_films_until_it_is_back(films, puppets, capsys):
    shutil.copytree(films, "moved")
    (id,) = Store("moved")
    about = Path(f"moved/recordings/{id}/recording.json")
    there = about.read_text()
    about.write_text(there.replace(Store("moved")[id].recording.source, "file:///gone.mp4"))
    assert main(["separate", "moved", "--to", "voices"]) == 0
    assert "; no films: " in capsys.readouterr().out
    assert [path.suffix for path in sorted(Path("voices").glob("*_face0.*"))] == [".jpg", ".wav"]
    assert main(["separate", "moved", "--to", "voices"]) == 0
    assert capsys.readouterr().out.startswith("kept")
    about.write_text(there)
    assert main(["separate", "moved", "--to", "voices"]) == 0
    assert capsys.readouterr().out.startswith("made"), "the film is back"
    assert Path(f"voices/{id}_face0.mp4").exists()


def test_one_that_fails_stops_no_other(puppets, silent_puppet, capsys):
    film(Path("nobody.mp4"), empty_room(2.0))
    Path("broken.mp4").write_text("no film")
    films = [str(puppets), str(silent_puppet), "nobody.mp4", "broken.mp4"]
    assert main(["separate", *films, "--to", "voices", "--no-film"]) == 1
    said = capsys.readouterr().out
    assert "made    two-puppets-" in said
    assert "' has no sound, so there are no voices to tell apart" in said
    assert "failed  'nobody-" in said
    assert "broken.mp4" in said
    assert said.count("failed") == 3


def weights_of(path: Path, rows: str, by: str, width: int) -> Path:
    """A run of Looking to Listen for two speakers whose faces are rows of so many numbers, by lot and small."""
    of, rng = Shape(speakers=2, faces=width, filters=2, cells=3, dense=4), np.random.default_rng(0)
    made = {name: np.abs(rng.normal(0.1, 0.3, shape)) for name, shape in entries(of).items()}
    tensors = {name: np.asarray(it, np.float32) for name, it in made.items()}
    told = {"network": "looking-to-listen", "rows": rows, "rows_by": by, "stretch": 50, "notes": "on 3 people. More"}
    path.mkdir()
    save_file(tensors, path / "weights.safetensors", {"phonoscope": json.dumps(told)})
    return path


@pytest.mark.parametrize(("rows", "by", "width"), [("lips", "mouth@1", 35), ("embeddings", "fake-embedder@1", 3)])
def test_a_run_of_looking_to_listen_is_shown_what_it_has_learnt_from(films, capsys, monkeypatch, rows, by, width):
    monkeypatch.setitem(registry.OURS, "fake-embedder", "phonoscope.testing.fakes:FakeEmbedder")
    shutil.copytree(films, "own")
    (id,), run = Store("own"), weights_of(Path("run"), rows, by, width)
    assert main(["separate", "own", "--to", "voices", "--no-film", "--separation.weights", str(run)]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[0] == "looking-to-listen own: on 3 people"
    assert f"made    {id}: 4.0 s, 2 voices: face 0, face 1" in said.out
    assert ("[1/1] made " in said.err) == (rows == "embeddings"), "lips were there"
    assert all(heard(Path(f"voices/{id}_face{n}.wav")).any() for n in (0, 1))
    if rows == "embeddings":
        assert (Store("own")[id].receipts["embeddings"].params or {})["per_track"] == 0


def test_rows_by_other_weights_than_a_run_has_learnt_from_are_refused(films, capsys):
    run = weights_of(Path("run"), "lips", "mouth@0", 35)
    assert main(["separate", str(films), "--to", "voices", "--separation.weights", str(run)]) == 1
    said = capsys.readouterr().out
    assert "are by mouth@1, and looking-to-listen has learnt from those of mouth@0: make them by" in said


@pytest.mark.parametrize("told", [{"network": "audio-only"}, {"network": "compact", "blind": True}])
def test_a_run_that_was_trained_without_faces_cannot_separate_and_says_what_can(films, capsys, told):
    Path("ears").mkdir()
    save_file({"x": np.zeros(1, np.float32)}, "ears/weights.safetensors", {"phonoscope": json.dumps(told)})
    for given in ("ears", "ears/weights.safetensors"):
        assert main(["separate", str(films), "--to", "voices", "--separation.weights", given]) == 2
        said = capsys.readouterr().err
        assert "was trained without faces, so it cannot know whose voice is whose: `phonoscope evaluate" in said
        assert said.count("\n") == 1


def test_a_dry_run_makes_nothing(films, puppets, capsys):
    before = sorted(films.rglob("*"))
    (id,) = Store(films)
    assert main(["separate", str(films), str(puppets), "--to", "voices", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{puppets}: would make recording, clock, audio, faces, shots, tracks, lips, thumbs",
        f"{id}: is fresh",
        "then fake-separator would tell the voices apart, and write them into voices",
    ]
    assert main(["separate", "gone.mp4", "--to", "voices", "--dry-run", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["state"] == "would fail"
    assert not Path("voices").exists()
    assert sorted(films.rglob("*")) == before


def test_a_dry_run_knows_lips_of_another_recipe(films, tmp_path, capsys):
    shutil.copytree(films, tmp_path / "others")
    (id,) = Store(tmp_path / "others")
    stored = Store(tmp_path / "others")[id]
    receipts = stored.receipts
    write_receipts(stored.folder, {**receipts, "lips": replace(receipts["lips"], key="another")})
    assert main(["separate", str(tmp_path / "others"), "--to", "voices", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith(f"{id}: would make lips\n")


def test_the_page_needs_no_network_and_names_each_face(films, voices):
    page = (voices[0] / "report.html").read_text(encoding="utf-8")
    (id,) = Store(films)
    assert "http" not in page.replace('<meta http-equiv="', "")
    assert page.count("<audio ") == 3
    assert page.count('src="data:image/png;base64,') == 3
    assert page.count('src="data:image/jpeg;base64,') == 2
    assert f'src="{id}_face0.wav"' in page and f'href="{id}_face1.mp4"' in page
    assert main(["separate", str(films), "--to", str(voices[0])]) == 0
    assert (voices[0] / "report.html").read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "no film given"),
        (["FILMS", "--faces", "a"], 2, "--faces is a list of numbers such as 0,2, got 'a'"),
        (["FILMS", "--separation.model", "yunet"], 2, "'yunet' is a face_detector; as a voice_separator there are"),
        (["FILMS", "--separation.weights", "gone.safetensors"], 2, "there is no file of weights 'gone.safetensors'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(arguments, code, said, films, capsys):
    given = [str(films) if it == "FILMS" else it for it in arguments]
    assert main(["separate", *given, "--to", "voices"]) == code
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and error.startswith("phonoscope separate: ")
    assert not Path("voices").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--faces", "7"], "' has no face 7; there are 0, 1"),
        (["--least-s", "9"], "' is there for 9 s: give a lower --least-s"),
    ],
)
def test_faces_that_are_not_there_are_told_by_recording(arguments, said, films, capsys):
    assert main(["separate", str(films), "--to", "voices", *arguments]) == 1
    told = capsys.readouterr().out
    assert said in told and told.startswith("failed") and told.count("\n") == 1


def test_a_store_on_another_clock_says_which_it_should_have(capsys):
    flash_and_beep(Path("flash.mp4"))
    assert main(["prepare", "flash.mp4", "--to", "native", "--clock.fps", "30", "--no-report"]) == 0
    capsys.readouterr()
    assert main(["separate", "native", "--to", "voices"]) == 1
    assert "lips are read at 25 frames a second, this recording has 30" in capsys.readouterr().out
