"""Another sound under the same film: pictures are copied where they can be, and sound and picture fall together."""

import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from phonoscope import Store, prepare
from phonoscope.core.errors import RecordingFailed
from phonoscope.core.media import Recording
from phonoscope.media.audio import read_audio
from phonoscope.media.dub import dub
from phonoscope.media.probe import probe
from phonoscope.media.video import decode
from phonoscope.store.recording import StoredRecording
from phonoscope.testing.film import flash_and_beep, is_white, number_in, onsets_s

COPIED = {
    "plain": ("mp4", {}),
    "44-1-khz": ("mp4", {"sample_rate": 44100}),
    "29-97": ("mp4", {"fps": Fraction(30000, 1001), "time_base": Fraction(1, 90000)}),
    "vfr": ("mp4", {"fps": None}),
    "b-frames": ("mp4", {"b_frames": 3}),
    "sound-late": ("mp4", {"audio_late_s": Fraction(2, 5)}),
    "pictures-late": ("mp4", {"video_late_s": Fraction(2, 5)}),
    "edit-list": ("mp4", {"video_late_s": Fraction(-3, 25), "b_frames": 2}),
    "turned": ("mp4", {"rotation_deg": 90}),
    "matroska": ("mkv", {"b_frames": 2}),
    "transport": ("ts", {"b_frames": 2}),
    "av1": ("mkv", {"video_codec": "libsvtav1", "pix_fmt": "yuv420p"}),
    "vp9": ("webm", {"video_codec": "libvpx-vp9", "audio_codec": "libopus"}),
}
ENCODED = {
    "mpeg4": ("avi", {"video_codec": "mpeg4", "audio_codec": "mp3"}),
    "odd": ("mkv", {"video_codec": "ffv1", "audio_codec": "flac", "size": (63, 97)}),
}


def taken_in(folder: Path, kind: str, how: dict) -> tuple[StoredRecording, Path]:
    film = folder / f"film.{kind}"
    flash_and_beep(film, **how)
    (outcome,) = prepare([film], folder / "films", ()).carry_out()
    stored = Store(folder / "films")[outcome.recording]
    return stored, film


@pytest.mark.parametrize("case", [*COPIED, *ENCODED])
def test_beeps_that_are_put_under_a_film_again_fall_on_its_flashes(case, tmp_path):
    stored, film = taken_in(tmp_path, *{**COPIED, **ENCODED}[case])
    recording, voice = stored.recording, tmp_path / "voice.wav"
    soundfile.write(voice, stored.audio(), 16000, subtype="PCM_16")
    to = tmp_path / "made.mp4"
    copied = dub(film, recording, stored.clock, voice, to)
    assert copied == (case in COPIED)
    found = probe(to, recording.fps, 16000)
    assert (found.num_frames, found.av_start) == (recording.num_frames, 0)
    assert (found.width, found.height) == (recording.width // 2 * 2, recording.height // 2 * 2)
    with av.open(to) as made:
        assert [stream.type for stream in made.streams] == ["video", "audio"]
        assert made.streams.audio[0].sample_rate == 16000
    was, now = (seen(path, clock, recording) for path, clock in ((film, stored.clock), (to, found.clock)))
    assert now == was
    white = [flash for _, flash in now]
    flashes = [k / 25 for k in range(1, len(white)) if white[k] and not white[k - 1]]
    beeps = onsets_s(np.concatenate([*read_audio(to, found.timeline, found.num_samples, 16000)]), 16000)
    before = onsets_s(stored.audio(), 16000)
    assert beeps == pytest.approx(before, abs=0.005)
    assert flashes == pytest.approx(beeps, abs=0.065), "the pictures of the last film but one are 90 ms apart"


def seen(path: Path, clock, recording: Recording) -> list[tuple[int, bool]]:
    pictures = [picture.rgb()[..., 1] for picture in decode(path, clock, [recording.span])]
    return [(number_in(picture), is_white(picture)) for picture in pictures]


def test_copied_pictures_are_the_same_bytes(tmp_path):
    stored, film = taken_in(tmp_path, "mp4", {"b_frames": 3})
    soundfile.write(tmp_path / "voice.wav", stored.audio(), 16000, subtype="PCM_16")
    assert dub(film, stored.recording, stored.clock, tmp_path / "voice.wav", tmp_path / "made.mp4")
    theirs, ours = (packets(path) for path in (film, tmp_path / "made.mp4"))
    assert ours == theirs
    assert len(theirs) == 100
    first = (tmp_path / "made.mp4").read_bytes()
    dub(film, stored.recording, stored.clock, tmp_path / "voice.wav", tmp_path / "made.mp4")
    assert (tmp_path / "made.mp4").read_bytes() == first


def packets(path: Path) -> list[tuple[bytes, Fraction]]:
    with av.open(path) as film:
        stream = film.streams.video[0]
        return [(bytes(it), (it.pts or 0) * (stream.time_base or Fraction(1))) for it in film.demux(stream) if it.size]


def test_an_encoded_film_can_be_copied_under_the_next_voice(tmp_path):
    stored, film = taken_in(tmp_path, *ENCODED["odd"])
    soundfile.write(tmp_path / "voice.wav", stored.audio(), 16000, subtype="PCM_16")
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    assert not dub(film, stored.recording, stored.clock, tmp_path / "voice.wav", first)
    clock = probe(first, stored.recording.fps, 16000).clock
    assert dub(first, stored.recording, clock, tmp_path / "voice.wav", second)
    assert packets(first) == packets(second)


def test_a_film_that_is_gone_or_cut_off_is_told(tmp_path):
    stored, film = taken_in(tmp_path, "mp4", {})
    soundfile.write(tmp_path / "voice.wav", stored.audio(), 16000, subtype="PCM_16")
    shutil.move(film, tmp_path / "elsewhere.mp4")
    with pytest.raises(RecordingFailed, match="there is no file"):
        dub(film, stored.recording, stored.clock, tmp_path / "voice.wav", tmp_path / "made.mp4")
