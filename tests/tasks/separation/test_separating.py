"""Voices of a recording: whose are written, by track and by person, what is told of them, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from phonoscope.core.along import blank_table
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt
from phonoscope.store.recording import StoredRecording
from phonoscope.tasks.separation.separated import Separated
from phonoscope.tasks.separation.separating import separate
from phonoscope.tasks.separation.subjects import MOST
from phonoscope.testing.fakes import FakeSeparator
from phonoscope.testing.talkers import add_talker

FRAMES = 205  # of the recording


def recording(
    folder: Path, tracks: dict[int, tuple[int, int]], people: dict[int, int] | None = None
) -> StoredRecording:
    """A recording of noise in a new store, with tracks (first frame, length), and who they are."""
    stored = add_talker(Store.create(folder / "films"), "test/ana/talk", FRAMES - 5)
    boxes = {id: np.tile(np.array([10, 20, 60, 80], np.float32), (length, 1)) for id, (_, length) in tracks.items()}
    made = Tracks(tuple(
        Track(id, start, boxes[id], np.ones(length, np.float32), np.ones(length, bool))
        for id, (start, length) in tracks.items()
    ))  # fmt: skip
    stored.save("tracks", made, Receipt(key="t", step="tracks", version=1))
    frames, _ = blank_table(made)
    rows = {id: np.full((length, 2), 0.1 * id, np.float32) for id, (_, length) in tracks.items()}
    table = TrackTable(frames.track, frames.frame, {"missing": np.zeros(len(frames.track), bool)})
    inputs = {"tracks": "t"}
    stored.save("lips", TrackArrays(rows, table), Receipt(key="l", step="lips", version=1, inputs=inputs))
    if people is not None:
        person = np.array([people[int(track)] for track in frames.track], np.int32)
        table = TrackTable(frames.track, frames.frame, {"person": person})
        stored.save("people", table, Receipt(key="p", step="people", version=1, inputs=inputs))
    return stored


def voice(folder: Path, made: Separated, face: int) -> np.ndarray:
    (wav,) = [it.wav for it in made.faces if it.face == face]
    return soundfile.read(folder / wav)[0]


def test_a_voice_is_the_sound_where_one_face_is_alone_and_all_of_it_is_told(tmp_path):
    stored = recording(tmp_path, {4: (0, FRAMES)})
    made, new = separate(stored, FakeSeparator(), tmp_path / "voices", films=False)
    assert new and made.others == () and made.notes == ()
    (face,) = made.faces
    assert (face.face, face.start_s, face.stop_s, face.seen, face.level_db) == (4, 0, 8.2, 1, 0)
    np.testing.assert_allclose(voice(tmp_path / "voices", made, 4), stored.audio(), atol=1e-4)


def test_short_faces_are_told_apart_but_not_written(tmp_path):
    stored = recording(tmp_path, {0: (0, FRAMES), 1: (50, 20)})
    made, _ = separate(stored, FakeSeparator(), tmp_path / "voices", films=False)
    assert [it.face for it in made.faces] == [0] and made.others == (1,)
    both_there = slice(640 * 52, 640 * 68)
    mine, sound = voice(tmp_path / "voices", made, 0)[both_there], stored.audio()[both_there]
    assert mine @ sound / (sound @ sound) == pytest.approx(1 / (1 + np.exp(0.1)), abs=1e-3), "part is the other's"
    both, _ = separate(stored, FakeSeparator(), tmp_path / "both", films=False, least_s=0.5)
    assert [it.face for it in both.faces] == [0, 1]


def test_tracks_of_one_person_are_one_voice(tmp_path):
    tracks = {0: (0, 40), 1: (0, 40), 2: (60, 60), 3: (130, 75), 4: (60, 60)}
    stored = recording(tmp_path, tracks, {0: 1, 1: 0, 2: 0, 3: 1, 4: -1})
    made, _ = separate(stored, FakeSeparator(), tmp_path / "voices", films=False, by="person")
    assert [(it.face, it.start_s, it.stop_s, it.wav[-12:]) for it in made.faces] == [
        (0, 0, 4.8, "_person0.wav"), (1, 0, 8.2, "_person1.wav"),
    ]  # fmt: skip
    assert [it.seen for it in made.faces] == [pytest.approx(100 / 120, abs=1e-4), pytest.approx(115 / 205, abs=1e-4)]
    assert made.others == (-1,) and made.by == "person"
    by_track, _ = separate(stored, FakeSeparator(), tmp_path / "tracks", films=False)
    assert [it.face for it in by_track.faces] == [0, 1, 2, 3, 4]
    late = slice(640 * 150, 640 * 200)
    np.testing.assert_array_equal(
        voice(tmp_path / "voices", made, 1)[late], voice(tmp_path / "tracks", by_track, 3)[late]
    )


def test_people_who_were_told_apart_anew_are_separated_anew(tmp_path):
    stored = recording(tmp_path, {0: (0, 100), 1: (100, 100)}, {0: 0, 1: 0})

    def again() -> bool:
        return separate(stored, FakeSeparator(), tmp_path / "voices", films=False, by="person")[1]

    assert [again(), again()] == [True, False]
    people = stored.load("people")
    stored.save("people", people, Receipt(key="other", step="people", version=1, inputs={"tracks": "t"}))
    assert [again(), again()] == [True, False]


def test_loud_voices_are_cut_off_and_counted(tmp_path):
    class Loud(FakeSeparator):
        def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
            return 5 * super().__call__(audio, lips)

    stored = recording(tmp_path, {0: (0, FRAMES)})
    made, _ = separate(stored, Loud(), tmp_path / "voices", films=False)
    heard = voice(tmp_path / "voices", made, 0)
    over = np.abs(5 * stored.audio()) > 1
    assert made.faces[0].clipped == over.sum() > 0
    assert (np.abs(heard[over]) > 0.999).all() and np.abs(heard).max() <= 1


def test_a_voice_of_silence_has_no_level(tmp_path):
    class Mute(FakeSeparator):
        def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
            return 0 * super().__call__(audio, lips)

    made, _ = separate(recording(tmp_path, {0: (0, FRAMES)}), Mute(), tmp_path / "voices", films=False)
    assert made.faces[0].level_db is None


@pytest.mark.parametrize(
    ("tracks", "how", "said"),
    [
        ({}, {}, "shows no face, and voices are told apart by the faces that speak them"),
        ({3: (0, 50)}, {"wanted": (3, 5)}, "has no face 5; there are 3"),
        ({3: (0, 24)}, {}, "no face of '.*' is there for 1 s: give a lower --least-s"),
        ({3: (0, 50)}, {"by": "person"}, "has no 'people'"),
        ({n: (n, 30) for n in range(MOST + 1)}, {}, "has 49 faces, 48 can be written at a time"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(tmp_path, tracks, how, said):
    with pytest.raises(UsageError, match=said) as caught:
        separate(recording(tmp_path, tracks), FakeSeparator(), tmp_path / "voices", films=False, **how)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "voices").exists()
