"""A disk that is full or may not be written to: said in one line, nothing half is left, and the next run mends it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from phonoscope.cli.main import main
from phonoscope.core.errors import PhonoscopeError
from phonoscope.store.files import whole_file
from phonoscope.store.folder import Store
from phonoscope.testing.film import flash_and_beep
from phonoscope.testing.quick import fingerprint, quick_job


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    flash_and_beep(path, duration_s=Fraction(1), events_s=[Fraction(1, 5)])
    return path


@pytest.fixture(scope="module")
def undisturbed(film, tmp_path_factory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("undisturbed") / "store"
    list(quick_job([film], root).carry_out())
    return fingerprint(root)


def mount(*arguments: object) -> bool:
    there = shutil.which("mount")
    return bool(there) and subprocess.run([there, *map(str, arguments)], capture_output=True).returncode == 0


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A disk of its own, 10 MB, where we may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=10m", "tmpfs", folder):
        pytest.skip("only root on Linux may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)  # lazily: arrays mapped from it may still be about


def assert_whole(root: Path) -> None:
    """Nothing half, and all that has a receipt can be read."""
    assert not list(root.rglob(".*"))
    for id in Store(root):
        for name in Store(root)[id].receipts:
            assert Store(root)[id].load(name) is not None


@pytest.mark.parametrize("kilobytes", [8, 16, 24, 32, 48, 64, 80, 96, 112])
def test_a_full_disk_leaves_nothing_half_and_the_next_run_mends_it(film, undisturbed, disk, kilobytes):
    job = quick_job([film], disk / "store")
    assert mount("-o", f"remount,size={kilobytes}k", disk)
    try:
        (outcome,) = job.carry_out()
        assert outcome.failure is None or outcome.failure.reason == "disk-full"
        assert outcome.failure or kilobytes > 64
    except PhonoscopeError as error:  # no room even to write down what happened
        assert str(error).endswith("cannot be written to: No space left on device")
    assert_whole(disk / "store")
    assert mount("-o", "remount,size=10m", disk)
    (outcome,) = quick_job([film], disk / "store").carry_out()
    assert outcome.failure is None and fingerprint(disk / "store") == undisturbed


@pytest.mark.parametrize("bytes_a_file", [800, 1500, 2500])
def test_a_write_that_fails_midway_leaves_nothing_half(film, undisturbed, tmp_path, bytes_a_file):
    script = """
import resource, sys
from phonoscope.testing.quick import quick_job
job = quick_job([sys.argv[1]], sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
(outcome,) = job.carry_out()
sys.exit(outcome.failure.reason if outcome.failure else "well")
"""
    arguments = [sys.executable, "-c", script, film, tmp_path, str(bytes_a_file)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.stderr.split()[-1] == "file-too-large" or "File too large" in done.stderr
    assert_whole(tmp_path)
    list(quick_job([film], tmp_path).carry_out())
    assert fingerprint(tmp_path) == undisturbed and not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("arguments", [["ingest", "{film}", "--to", "{store}"], ["run", "mfcc", "{store}"]])
def test_a_read_only_store_is_said_in_one_line(film, tmp_path, request, capsys, arguments):
    root = request.getfixturevalue("disk") if os.geteuid() == 0 else tmp_path  # root is not stopped by modes
    assert main(["ingest", str(film), "--to", str(root / "store")]) == 0
    before = fingerprint(root / "store")
    if root == tmp_path:
        (root / "store").chmod(0o555)
    else:
        assert mount("-o", "remount,ro", root)
    capsys.readouterr()
    assert main([a.format(film=film, store=root / "store") for a in arguments]) == 1
    said = capsys.readouterr()
    assert "cannot be written to" in said.err and said.err.count("\n") == 1 and not said.out
    assert fingerprint(root / "store") == before


def test_an_error_that_has_nothing_to_do_with_the_disk_is_passed_on(tmp_path):
    with pytest.raises(RuntimeError, match="mine"), whole_file(tmp_path / "a") as part:
        part.write_text("half")
        raise RuntimeError("mine")
    assert not list(tmp_path.iterdir())
