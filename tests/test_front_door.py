"""Arrays in three lines, and a light import."""

import subprocess
import sys

import numpy as np
import pytest

from phonoscope import Span, Store, prepare, run
from phonoscope.core.errors import UsageError
from phonoscope.job import params_from
from phonoscope.media.video import decode


@pytest.fixture(scope="module")
def recording(puppets, tmp_path_factory):
    root = tmp_path_factory.mktemp("door") / "films"
    list(prepare([puppets], root, ["tracks"]).carry_out())
    return Store(root)["two-puppets"]


def test_importing_phonoscope_imports_nothing_heavy():
    heavy = "{'av', 'cv2', 'torch', 'onnxruntime', 'scipy', 'pyarrow', 'numpy'} & set(sys.modules)"
    code = f"import sys, phonoscope; print({heavy})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_frames_are_those_of_the_film(recording):
    frames = recording.frames(Span(3, 7))
    assert frames.shape == (4, 360, 640, 3) and frames.dtype == np.uint8
    shown = [picture.rgb() for picture in decode(recording.source, recording.clock, [Span(3, 7)])]
    np.testing.assert_array_equal(frames, shown)


def test_sound_lies_under_its_frames(recording):
    whole, part = recording.audio(), recording.audio(Span(10, 20))
    assert whole.dtype == np.float32 and len(whole) == recording.recording.num_samples == 64000
    np.testing.assert_array_equal(part, whole[6400:12800])


def test_crops_come_as_arrays_in_colour_or_grey(recording):
    assert recording.crops(0).shape == (100, 224, 224, 3)
    assert recording.crops(1, "mouth", Span(5, 9), grey=True).shape == (4, 96, 96)


@pytest.mark.parametrize("ask", ["frames", "audio", "crops"])
def test_what_lies_beyond_the_end_is_said_so(recording, ask):
    arguments = (0, "asd") if ask == "crops" else ()
    with pytest.raises(UsageError, match=r"has frames 0 to 99, asked for \[90, 110\)$"):
        getattr(recording, ask)(*arguments, Span(90, 110))


def test_a_silent_film_has_no_sound_to_load(silent_puppet, tmp_path):
    list(prepare([silent_puppet], tmp_path / "films", ["shots"]).carry_out())
    silent = Store(tmp_path / "films")["silent"]
    for sound in (silent.audio, lambda: silent.load("audio")):
        with pytest.raises(UsageError, match=r"'silent-.*' has no sound"):
            sound()


def test_what_was_made_from_other_tracks_is_not_loaded(puppets, tmp_path):
    root = tmp_path / "films"
    list(prepare([puppets], root, ["crops", "thumbs"]).carry_out())
    recording, other = Store(root)["two-puppets"], params_from({"tracks": {"min_size": 1000}})
    list(run(["tracks"], root, other).carry_out())
    assert len(recording.load("tracks")) == 0
    assert recording.stale == {"crops": "tracks", "thumbs": "tracks"}
    with pytest.raises(UsageError, match=r"'thumbs' was made from other tracks: `phonoscope run thumbs .*` makes it"):
        recording.load("thumbs")
    list(run(["thumbs"], root, other).carry_out())
    assert {*recording.stale} == {"crops"} and not [*recording.load("thumbs").iterdir()]


def test_what_was_not_made_is_said_so(recording):
    with pytest.raises(UsageError, match="has no 'asd'; it has"):
        recording.load("asd")


def test_an_unknown_recording_is_said_so(recording):
    with pytest.raises(UsageError, match="no 'nobody' in the store"):
        Store(recording.folder.parents[1])["nobody"]
