"""Spectrograms of voices, and the page of a folder of them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from phonoscope.core.mel import slaney_filters
from phonoscope.report.separation_page import write_separation_page
from phonoscope.report.spectrogram import BANDS, COLUMNS, DEPTH_DB, NFFT, shaded, spectrogram
from phonoscope.store.files import as_json
from phonoscope.tasks.separation.separated import FaceVoice, Separated, read_separated


def tone(path: Path, hz: float, seconds: float, level: float = 0.3) -> Path:
    """A sound whose first half is silent."""
    sound = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * 16000)) / 16000)
    sound[: len(sound) // 2] = 0
    soundfile.write(path, sound, 16000, subtype="PCM_16")
    return path


@pytest.mark.parametrize("hz", [200, 1000, 5000])
@pytest.mark.parametrize("seconds", [0.5, 4, 300])
def test_a_tone_stands_in_its_band_and_its_half(tmp_path, hz, seconds):
    levels = spectrogram(tone(tmp_path / "a.wav", hz, seconds))
    assert levels.shape[0] == BANDS and levels.shape[1] <= COLUMNS
    half = levels.shape[1] // 2
    row = slaney_filters(NFFT, 16000, BANDS)[:, round(hz * NFFT / 16000)].argmax()
    assert set((BANDS - 1 - levels[:, half + 3 :].argmax(0)).tolist()) <= {row - 1, row, row + 1}
    assert levels[:, half + 3 :].max(0).min() > levels[:, : half - 3].max() + DEPTH_DB


@pytest.mark.parametrize("samples", [0, 1, 100, NFFT])
def test_a_sound_however_short_has_a_picture_of_finite_levels(tmp_path, samples):
    soundfile.write(tmp_path / "a.wav", np.full(samples, 0.1), 16000)
    levels = spectrogram(tmp_path / "a.wav")
    assert levels.shape[0] == BANDS and np.isfinite(levels).all()


def test_shades_go_from_the_loudest_to_blank():
    assert shaded(np.array([0.0, -DEPTH_DB / 2, -DEPTH_DB, -300, 9]), 0).tolist() == [255, 128, 0, 0, 255]


def test_the_page_tells_of_every_recording_in_the_folder_and_of_nothing_else(tmp_path):
    for name in ("ana", "bo & co"):
        face = FaceVoice(face=3, start_s=0, stop_s=2, seen=0.5, level_db=None, clipped=2, wav=f"{name}_face3.wav")
        made = Separated(
            recording=name, source=f"file:///films/{name}.mp4", duration_s=2, made_from={"separator": "ear@1"},
            faces=(face,), others=(1,), mixture=f"{name}_mixture.flac", notes=("no films: it is gone",),
        )  # fmt: skip
        (tmp_path / f"{name}.json").write_bytes(as_json(made))
        assert read_separated(tmp_path / f"{name}.json") == made
        tone(tmp_path / face.wav, 500, 2)
        tone(tmp_path / made.mixture, 500, 2)
    (tmp_path / "other.json").write_text('{"format": "theirs"}')
    page = write_separation_page(tmp_path).read_text(encoding="utf-8")
    assert page.count("<section") == 2
    assert "bo &amp; co.mp4" in page and 'src="bo%20%26%20co_face3.wav"' in page
    assert "1 other face not written" in page and "no films: it is gone" in page
    assert "silent" in page and "2 samples too loud" in page and "seen 50 %" in page
    (tmp_path / "ana_face3.wav").unlink()
    assert write_separation_page(tmp_path).read_text(encoding="utf-8").count("<section") == 1


def test_a_folder_without_voices_has_a_page_that_says_so(tmp_path):
    assert "Nothing has been separated yet." in write_separation_page(tmp_path).read_text(encoding="utf-8")
