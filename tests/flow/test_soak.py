"""A job that is hit again and again comes through, its store as if nothing had been. `bench soak` is the long one."""

import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from phonoscope.testing.film import flash_and_beep
from phonoscope.testing.quick import fingerprint
from phonoscope.testing.soak import Diary, soak_job
from phonoscope.testing.storm import Account, Storm, account, weather

FILMS = 30


@pytest.fixture
def films(tmp_path) -> Path:
    """Films of 0.3 s that show the same and are other bytes."""
    folder = tmp_path / "films"
    folder.mkdir()
    flash_and_beep(tmp_path / "film.mp4", duration_s=Fraction(3, 10), events_s=[Fraction(1, 10)], size=(48, 64))
    for k in range(FILMS):
        box = (12).to_bytes(4, "big") + b"free" + k.to_bytes(4, "big")
        (folder / f"{k:02}.mp4").write_bytes((tmp_path / "film.mp4").read_bytes() + box)
    return folder


@pytest.fixture
def disk(tmp_path) -> Iterator[tuple[Path, bool]]:
    """A disk of 40 MB where we may make one, else a folder; and which it is."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount") or "mount"
    made = not subprocess.run([mount, "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], capture_output=True).returncode
    yield folder, made
    if made:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.slow
def test_after_kills_a_hang_and_a_full_disk_nothing_is_lost_doubled_or_corrupt(films, disk, tmp_path):
    place, may_fill = disk
    (tmp_path / "calm").mkdir()
    calm = soak_job(sorted(films.iterdir()), place / "calm", Diary(tmp_path / "calm"))
    assert not [outcome.failure for outcome in calm.carry_out() if outcome.failure]
    expected = fingerprint(place / "calm")
    assert len({path.split("/")[1] for path in expected}) == FILMS

    storm, diary = Storm(workers=2, jobs=1, disks=1 if may_fill else 0, seed=8), Diary(tmp_path, hangs=FILMS)
    went = weather(films, place / "store", diary, storm)
    assert went.blows["job"] == 1 and went.blows["worker"] >= 1 and went.blows["disk"] == storm.disks
    found = account(place / "store", expected, diary)
    assert found == Account(lost=0, corrupt=0, doubled=0, standing=0, debris=0, redone=found.redone)
    assert found.redone <= 2 * went.lost(diary)


def test_an_account_finds_what_is_wrong(films, tmp_path):
    root, diary = tmp_path / "store", Diary(tmp_path)
    list(soak_job(sorted(films.iterdir())[:4], root, diary).carry_out())
    expected = fingerprint(root)
    assert account(root, expected, diary) == Account(lost=0, corrupt=0, doubled=0, standing=0, debris=0, redone=0)
    one, two, three, _ = sorted((root / "recordings").iterdir())
    (one / "audio.flac").unlink()
    (two / "light.npy").write_bytes(b"half")
    shutil.copytree(three, root / "recordings" / "twin")
    (three / ".words.part").mkdir()
    found = account(root, expected, diary)
    assert (found.lost, found.corrupt, found.debris) == (1, 1, 1) and found.doubled == len([*three.rglob("*.*")]) - 1
