"""What a recording gives is whole, and made from what is there."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import TrackArrays, Tracks, TrackTable
from phonoscope.core.media import Recording
from phonoscope.core.series import Series
from phonoscope.store.codecs import write_recording
from phonoscope.store.receipts import Receipt, stale_in
from phonoscope.store.recording import StoredRecording

NONE = np.zeros(0, np.int32)


@pytest.fixture
def stored(tmp_path):
    folder = tmp_path / "films" / "recordings" / "a-00000000"
    folder.mkdir(parents=True)
    film = ("file:///a.mp4", "0" * 64, Fraction(25), 50, 64, 48, 16000, 32000, Fraction(0))
    write_recording(folder / "recording.json", Recording(folder.name, *film))
    return StoredRecording(folder)


def receipt(name, key="k", **inputs):
    return Receipt(key=key, step=name, version=1, inputs=inputs)


def save_folder(stored, name, *files):
    with stored.part_folder(name) as part:
        for file in files:
            (part / file).write_text(file)
        stored.save(name, part, receipt(name))


@st.composite
def recipes(draw):
    """What each of some artifacts is made from: none is made from a later one."""
    count = draw(st.integers(1, 8))
    return [sorted(draw(st.sets(st.integers(0, k - 1)))) if k else [] for k in range(count)]


@given(recipes=recipes(), data=st.data())
def test_what_follows_a_change_is_stale_and_nothing_else(recipes, data):
    made = {str(k): receipt(str(k), **{str(n): "k" for n in needs}) for k, needs in enumerate(recipes)}
    assert stale_in(made) == {}
    other = data.draw(st.integers(0, len(recipes) - 1))
    follows = {other}
    for k, needs in enumerate(recipes):
        follows |= {k} if follows & {*needs} else set()
    changed = made | {str(other): receipt(str(other), "other", **made[str(other)].inputs)}
    gone = {name: it for name, it in made.items() if name != str(other)}
    for now in (changed, gone):
        assert stale_in(now) == {str(k): str(other) for k in follows - {other}}


def test_what_is_stale_is_not_loaded_but_keeps_its_place(stored):
    stored.save("faces", Tracks(), receipt("faces"))
    stored.save("tracks", Tracks(), receipt("tracks", faces="k"))
    stored.save("asd", TrackTable(NONE, NONE, {"score": NONE}), receipt("asd", tracks="k"))
    assert {*stored.fresh} == {"faces", "tracks", "asd"}
    stored.save("faces", Tracks(), receipt("faces", "other"))
    assert stored.stale == {"tracks": "faces", "asd": "faces"} and {*stored.fresh} == {"faces"}
    with pytest.raises(UsageError, match=r"'asd' was made from other faces: `phonoscope run asd .*films` makes"):
        stored.load("asd")
    assert stored.path("asd") == stored.folder / "asd.parquet"


@pytest.mark.parametrize("lost", ["vad.npy", "vad.json"])
def test_a_series_without_one_of_its_files_has_not_been_made(stored, lost):
    stored.save("vad", Series(np.zeros(4, np.float32), Fraction(100)), receipt("vad"))
    assert stored.path("vad")
    (stored.folder / lost).unlink()
    assert stored.path("vad") is None and "vad" not in stored.fresh
    with pytest.raises(UsageError, match="has no 'vad'"):
        stored.load("vad")


@pytest.mark.parametrize(("name", "place"), [("crop_video", "crops"), ("thumbs", "thumbs")])
def test_a_folder_without_one_of_its_files_has_not_been_made(stored, name, place):
    save_folder(stored, name, "10.mp4", "2.mp4", "0.mp4")
    assert stored.receipts[name].files == ("0.mp4", "10.mp4", "2.mp4")
    assert stored.load(name) == stored.path(name) == stored.folder / place
    (stored.folder / place / "2.mp4").unlink()
    assert stored.path(name) is None


def test_a_folder_of_no_files_is_whole_while_it_stands(stored):
    save_folder(stored, "thumbs")
    assert stored.path("thumbs")
    (stored.folder / "thumbs").rmdir()
    assert stored.path("thumbs") is None


def test_lost_sound_is_not_had(stored):
    for sound in (stored.audio, lambda: stored.load("audio")):
        with pytest.raises(UsageError, match="has no 'audio'"):
            sound()


@pytest.mark.parametrize("left", [0, 5, 60])
@pytest.mark.parametrize("name", ["pose", "mfcc", "landmarks"])
def test_a_damaged_artifact_is_one_line_that_says_how_to_mend_it(stored, name, left):
    table = TrackTable(np.zeros(9, np.int32), np.arange(9, dtype=np.int32), {"score": np.ones(9, np.float32)})
    series = Series(np.ones((40, 13), np.float32), Fraction(100), Fraction(1, 80))
    points = TrackArrays({0: np.ones((9, 68, 2), np.float32)}, table)
    stored.save(name, {"pose": table, "mfcc": series, "landmarks": points}[name], receipt(name))
    place = stored.places[name]
    file = place / "0.npy" if place.is_dir() else place
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(UsageError, match=rf"is damaged .*delete it, and `phonoscope run {name} "):
        stored.load(name)
