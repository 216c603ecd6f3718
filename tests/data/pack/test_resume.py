"""Packing again: what is whole is kept, what has changed is made, and nothing half is ever left."""

import errno
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phonoscope import Store, prepare
from phonoscope.core.errors import UsageError
from phonoscope.data.pack import film as clip_film
from phonoscope.data.pack import pack
from phonoscope.data.pack.folder import PackFolder
from phonoscope.testing.known import (
    MUTE,
    PAIR,
    known_angles,
    known_points,
    known_store,
    known_tracks,
    save_landmarks,
    save_pose,
    save_speech,
    save_tracks,
)
from phonoscope.testing.packs import AUDIOS, POSE, VIDEOS, packed, rows_of, stamps, tree


def test_what_is_whole_is_kept_and_what_was_lost_is_made_again(pair, tmp_path):
    heads, names = tmp_path / "heads", tuple(f"{pair.recording.id}_{track}" for track in (0, 1))
    assert packed(tmp_path / "films", heads).made == names
    before, bytes_before = stamps(heads), tree(heads)
    assert packed(tmp_path / "films", heads).kept == names
    assert stamps(heads) == before
    (heads / VIDEOS / "video_frames" / names[1] / "000003.png").unlink()
    again = packed(tmp_path / "films", heads)
    assert (again.made, again.kept) == (names[1:], names[:1])
    (heads / AUDIOS / "audios_16k" / f"{names[0]}.wav").write_bytes(b"half")
    assert packed(tmp_path / "films", heads).made == names[:1]
    after = tree(heads)
    assert {p: b for p, b in after.items() if p != "pack.jsonl"} == {
        p: b for p, b in bytes_before.items() if p != "pack.jsonl"
    }


def test_only_what_has_changed_is_made(films, tmp_path):
    heads = tmp_path / "heads"
    (outcome,) = prepare([films / "a pair.mp4"], tmp_path / "films", ()).carry_out()
    stored = Store(tmp_path / "films")[outcome.recording]
    save_tracks(stored, known_tracks(PAIR))
    first = packed(tmp_path / "films", heads)
    assert first.lacking == ("landmarks", "pose", "speech") and len(first.made) == 2
    before = stamps(heads)
    assert not any("landmarks" in path or "pose" in path or "features" in path for path in before)
    assert {row["missing"] for row in rows_of(heads).values()} == {""}

    save_landmarks(stored, known_points(PAIR))
    save_pose(stored, {track.id: known_angles(track) for track in known_tracks(PAIR)})
    save_speech(stored)
    second = packed(tmp_path / "films", heads)
    assert second.lacking == () and len(second.made) == 2
    after = stamps(heads)
    changed = {path for path, stamp in after.items() if before.get(path) != stamp}
    assert len(changed) == 6 + 2 and not any(path.endswith((".png", ".mp4", ".wav")) for path in changed)
    assert {row["missing"] for row in rows_of(heads).values()} == {"0"}

    packed(tmp_path / "films", heads, sub_pixel=True)
    changed = {path for path, stamp in stamps(heads).items() if after.get(path) != stamp}
    assert {Path(path).suffix for path in changed} == {".txt", ".jsonl"}


def test_what_no_longer_fits_is_taken_away(pair, tmp_path):
    heads, clip = tmp_path / "heads", f"{pair.recording.id}_0"
    packed(tmp_path / "films", heads)
    pair.forget("landmarks")
    assert packed(tmp_path / "films", heads).kept, "what was packed of them still fits"
    assert (heads / VIDEOS / "landmarks" / f"{clip}.txt").exists()
    save_tracks(pair, known_tracks(PAIR, late=8), take=2)
    again = packed(tmp_path / "films", heads, expand=0.8)
    assert again.lacking == ("landmarks", "pose") and len(again.made) == 2
    assert not list((heads / VIDEOS / "landmarks").iterdir()) and not list((heads / POSE).iterdir())
    assert rows_of(heads)[f"{pair.recording.id}_1"]["frames"] == "22"
    assert rows_of(heads)[clip]["missing"] == ""


def test_a_film_that_moved_fails_alone_and_only_while_it_is_needed(films, tmp_path):
    for name in ("a pair.mp4", "mute.mp4"):
        shutil.copy(films / name, tmp_path)
    pair = known_store(tmp_path / "a pair.mp4", PAIR, tmp_path / "films")
    known_store(tmp_path / "mute.mp4", MUTE, tmp_path / "films")
    (tmp_path / "a pair.mp4").rename(tmp_path / "moved.mp4")
    for job in ("foretell", "carry_out"):
        told = {it.recording: it for it in getattr(pack(tmp_path / "films", tmp_path / "heads"), job)()}
        failure = told.pop(pair.recording.id).failure
        assert failure and (failure.reason, failure.step) == ("missing", "pack") and "a pair.mp4" in failure.message
        assert [len(it.made) for it in told.values()] == [1]
    (tmp_path / "moved.mp4").rename(tmp_path / "a pair.mp4")
    list(pack(tmp_path / "films", tmp_path / "heads").carry_out())
    (tmp_path / "a pair.mp4").unlink()
    assert all(it.kept and not it.failure for it in pack(tmp_path / "films", tmp_path / "heads").carry_out())


def test_a_full_disk_leaves_nothing_half_and_the_next_run_mends_it(made, pair, tmp_path, monkeypatch):
    def png(rgb: np.ndarray) -> bytes:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(rgb)

    heads, original, room = tmp_path / "heads", clip_film.png, [0]
    for room[0] in (0, 33, 54):
        with monkeypatch.context() as patched:
            patched.setattr(clip_film, "png", png)
            told = packed(tmp_path / "films", heads)
        assert told.failure and told.failure.reason == "disk-full"
        there = tree(heads)
        assert not list(heads.rglob(".*")) and {*rows_of(heads)} <= {f"{pair.recording.id}_0"}
        assert all(there[path] == tree(made[1])[path] for path in there if "pack" not in path and "clips" not in path)
    assert packed(tmp_path / "films", heads).failure is None
    assert {p: b for p, b in tree(heads).items() if p != "pack.jsonl"} == {
        p: b for p, b in tree(made[1]).items() if p != "pack.jsonl"
    }


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs copies of a process")
def test_a_killed_packer_leaves_nothing_half_and_the_next_run_mends_it(made, tmp_path):
    stored, _ = made
    columns = {"recording": [stored.recording.id] * 2, "track": [0, 1], "start_frame": [3, 5], "stop_frame": [5, 7]}
    pq.write_table(pa.table(columns), tmp_path / "clips.parquet")
    script, store = Path(__file__).with_name("kill_packing.py"), stored.folder.parents[1]
    (tmp_path / "work").mkdir()
    command = [sys.executable, script, store, tmp_path / "clips.parquet", tmp_path / "work", "17"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["touches"] > 100 and found["bad"] == []


def test_a_dry_run_writes_nothing(pair, tmp_path):
    (told,) = pack(tmp_path / "films", tmp_path / "heads").foretell()
    assert len(told.made) == 2 and not (tmp_path / "heads").exists()


def test_packers_of_one_folder_do_not_tidy_away_what_others_begin(tmp_path):
    folder = PackFolder(tmp_path / "heads", "talking-face")
    paths = set()

    def take_turns(recording: str) -> None:
        with folder.hold(recording):
            for turn in range(150):
                with folder.part(f"{recording}_{turn}") as part:
                    paths.add(part)
                    (part / "here").touch()

    with ThreadPoolExecutor(4) as packers:
        list(packers.map(take_turns, [f"talk-0000000{k}" for k in range(4)]))
    assert len(paths) == 600 and not any(path.exists() for path in paths)


def test_nothing_is_packed_among_the_recordings_of_the_store(pair):
    root = pair.folder.parents[1]
    with pytest.raises(UsageError, match="lies among the recordings of the store"):
        pack(root, root / "recordings" / "heads")


def test_a_folder_of_other_things_is_refused(pair, tmp_path):
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "letter.txt").touch()
    with pytest.raises(UsageError, match="other things in it"):
        pack(tmp_path / "films", tmp_path / "desk")
    with pytest.raises(UsageError, match="other things in it"):
        pack(tmp_path / "films", tmp_path / "films")
    with pytest.raises(UsageError, match="is a file"):
        pack(tmp_path / "films", tmp_path / "desk" / "letter.txt")
    with pytest.raises(UsageError, match="did you mean 'talking-face'"):
        pack(tmp_path / "films", tmp_path / "heads", "talking-faces")


def test_the_same_store_gives_the_same_bytes(made, pair, tmp_path):
    packed(tmp_path / "films", tmp_path / "heads")
    assert tree(tmp_path / "heads") == tree(made[1])
