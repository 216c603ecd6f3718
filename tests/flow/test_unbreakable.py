"""Whatever kills the work, and whenever: the same command goes on from there, to the same bytes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest

from phonoscope.flow.shard import Shard
from phonoscope.store.folder import Store
from phonoscope.store.ledger import Failure, add_failure, read_failures, settle_failures
from phonoscope.testing.quick import fingerprint, quick_job
from phonoscope.testing.trouble import deadly


def debris(root: Path) -> list[Path]:
    """What nobody should ever see once the work is through."""
    return list(root.rglob(".*"))


def python(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", script, *map(str, arguments)]


CARRY_OUT = """
import sys
from phonoscope.flow.shard import Shard
from phonoscope.testing.quick import quick_job
root, jobs, shard, *films = sys.argv[1:]
job = quick_job(films, root).part(Shard.parse(shard))
for outcome in job.carry_out(int(jobs), lambda *said: print(*said, flush=True)):
    print("through", outcome.source, flush=True)
"""


def test_processes_give_the_same_bytes_as_here(films, undisturbed, tmp_path):
    assert not [o.failure for o in quick_job(films, tmp_path).carry_out(2) if o.failure]
    assert fingerprint(tmp_path) == undisturbed and not debris(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="copies a process that has FFmpeg in it, which macOS forbids")
def test_killed_at_any_touch_of_the_disk_a_rerun_gives_the_same_bytes(films, tmp_path):
    script = Path(__file__).with_name("kill_everywhere.py")
    done = subprocess.run(
        [sys.executable, script, films[0], tmp_path, "14"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["touches"] > 100 and found["bad"] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_worker_killed_at_any_moment_changes_nothing(films, undisturbed, tmp_path, seed):
    rng = random.Random(seed)
    when, told = rng.randrange(24), []

    def kill(*said):
        told.append(said)
        if len(told) == when + 1:
            time.sleep(rng.uniform(0, 0.03))
            os.kill(rng.choice(active_children()).pid, signal.SIGKILL)

    outcomes = list(quick_job(films, tmp_path).carry_out(2, kill))
    assert len(told) > when and not [o.failure for o in outcomes if o.failure]
    assert fingerprint(tmp_path) == undisturbed and not debris(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_everything_killed_at_any_moment_is_finished_by_the_next_run(films, undisturbed, tmp_path, seed):
    rng = random.Random(100 + seed)
    with subprocess.Popen(
        python(CARRY_OUT, tmp_path, 1 + seed % 2, "1/1", *films), stdout=subprocess.PIPE, start_new_session=True
    ) as doing:
        for _ in range(rng.randrange(1, 24)):
            doing.stdout.readline()
        time.sleep(rng.uniform(0, 0.03))
        os.killpg(doing.pid, signal.SIGKILL)
    outcomes = list(quick_job(films, tmp_path).carry_out())
    assert not [o.failure for o in outcomes if o.failure]
    assert fingerprint(tmp_path) == undisturbed and not debris(tmp_path)


def test_ctrl_c_leaves_a_whole_store_and_no_worker(films, undisturbed, tmp_path):
    with subprocess.Popen(
        python(CARRY_OUT, tmp_path, 2, "1/1", *films),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as doing:  # fmt: skip
        for _ in range(6):
            doing.stdout.readline()
        os.killpg(doing.pid, signal.SIGINT)  # as a terminal does: to the workers as well
        _, said = doing.communicate()  # comes back when the last process that holds the pipes has gone
    assert doing.returncode == -signal.SIGINT
    assert said.count("KeyboardInterrupt") == 1  # ours; the workers' would be more
    assert all(set(Store(tmp_path)[id].receipts) >= {"recording", "clock", "audio"} for id in Store(tmp_path))
    list(quick_job(films, tmp_path).carry_out())
    assert fingerprint(tmp_path) == undisturbed and not debris(tmp_path)


def test_what_crashes_is_tried_again_only_if_asked_for(films, undisturbed, tmp_path):
    job = quick_job(films[:1], tmp_path)
    bad = replace(job, work=replace(job.work, load_backend=deadly))
    (crashed,) = bad.carry_out(timeout_s=60)
    (stands,) = read_failures(tmp_path)
    assert (stands.reason, stands.source) == ("crashed", films[0].as_uri()) and stands == crashed.failure
    assert stands.step == "vad" and stands.recording == crashed.recording in Store(tmp_path)

    (again,) = job.carry_out()
    assert (again.failure.reason, again.made) == ("crashed", ()) and "--retry-failed tries it" in again.failure.message
    assert read_failures(tmp_path) == [stands]

    other = replace(job, work=replace(job.work, steps=tuple(s for s in job.work.steps if s.name == "mfcc")))
    assert not [o.failure for o in other.carry_out() if o.failure]  # not what had crashed
    assert read_failures(tmp_path) == [stands]

    (retried,) = replace(job, retry_failed=True).carry_out()
    assert not retried.failure and read_failures(tmp_path) == []
    assert fingerprint(tmp_path).items() <= undisturbed.items()


def test_a_recording_that_was_taken_in_only_half_is_passed_over_and_then_finished(films, undisturbed, tmp_path):
    list(quick_job(films, tmp_path).carry_out())
    first, second, _ = (tmp_path / "recordings" / id for id in Store(tmp_path))
    shutil.rmtree(first)
    first.mkdir()
    (first / ".clock.parquet.part").write_text("half")
    (second / "receipts.json").unlink()
    (second / ".crops.part").mkdir()
    assert first.name not in Store(tmp_path) and len(Store(tmp_path)) == len(films) - 1
    job = quick_job(films, tmp_path)
    (known,) = replace(job, items=[second.name], work=replace(job.work, ingests=False)).carry_out()
    assert known.failure.reason == "incomplete" and "prepare its film again" in known.failure.message
    list(quick_job(films, tmp_path).carry_out())
    assert fingerprint(tmp_path) == undisturbed and not debris(tmp_path) and read_failures(tmp_path) == []


def test_one_film_in_two_places_is_made_once_even_if_both_are_taken_at_once(films, undisturbed, tmp_path):
    (tmp_path / "copies").mkdir()
    twin = Path(shutil.copy(films[0], tmp_path / "copies"))
    outcomes = list(quick_job([films[0], twin], tmp_path / "store").carry_out(2))
    assert not [o.failure for o in outcomes if o.failure] and len(Store(tmp_path / "store")) == 1
    assert {o.source for o in outcomes} == {films[0].as_uri(), twin.as_uri()}
    assert sorted(bool(o.made) for o in outcomes) in ([False, True], [True, True])


def test_shards_may_write_to_one_store_at_once(films, undisturbed, tmp_path):
    bad = [tmp_path / f"bad {k}.mp4" for k in range(6)]
    for path in bad:
        path.write_text("no film")
    items = [*films, *bad]
    assert all(any(p.as_uri() in Shard(k, 2) for p in items) for k in (1, 2))
    root = tmp_path / "store"
    runs = [subprocess.Popen(python(CARRY_OUT, root, 1, f"{k}/2", *items), stdout=subprocess.PIPE) for k in (1, 2)]
    through = [run.communicate()[0].decode().count("through") for run in runs]
    assert [run.returncode for run in runs] == [0, 0] and sum(through) == len(items)
    assert fingerprint(root) == undisturbed and not debris(root)
    assert {f.source for f in read_failures(root)} == {path.as_uri() for path in bad}


def test_no_failure_is_lost_between_writers(tmp_path):
    def write(writer: int) -> None:
        for k in range(20):
            failure = Failure(source=f"file:///{writer}/{k}", recording="", step="ingest", reason="r", message="m")
            add_failure(tmp_path, failure)
            settle_failures(tmp_path, [f"file:///{writer}/{k}"] if k % 2 else [])

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    assert {f.source for f in read_failures(tmp_path)} == {
        f"file:///{w}/{k}" for w in range(4) for k in range(0, 20, 2)
    }


def test_a_failure_after_half_a_line_is_not_lost(tmp_path):
    (tmp_path / "errors.jsonl").write_bytes(b'{"source": "file:///a", "rec')
    failure = Failure(source="file:///b", recording="", step="ingest", reason="r", message="m")
    add_failure(tmp_path, failure)
    assert read_failures(tmp_path) == [failure]


def test_a_later_failure_of_another_step_hides_no_crash(films, tmp_path):
    job = quick_job(films[:1], tmp_path)
    list(replace(job, work=replace(job.work, load_backend=deadly)).carry_out(timeout_s=60))
    (crashed,) = read_failures(tmp_path)
    add_failure(tmp_path, replace(crashed, step="mfcc", reason="error"))
    (again,) = job.carry_out()
    assert again.failure.reason == "crashed"
    other = replace(job, work=replace(job.work, steps=tuple(s for s in job.work.steps if s.name == "mfcc")))
    assert not [o.failure for o in other.carry_out() if o.failure]
    assert read_failures(tmp_path) == [crashed]


def test_a_film_that_is_gone_fails_until_a_job_no_longer_asks_for_it(films, tmp_path):
    gone = tmp_path / "gone.mp4"
    assert [bool(o.failure) for o in quick_job([gone, films[0]], tmp_path / "s").carry_out()] == [True, False]
    for k in (1, 2):
        list(quick_job([gone, films[0]], tmp_path / "s").part(Shard(k, 2)).carry_out())
        assert [f.source for f in read_failures(tmp_path / "s")] == [gone.as_uri()]
    list(quick_job(films[:1], tmp_path / "s").carry_out())
    assert read_failures(tmp_path / "s") == []
