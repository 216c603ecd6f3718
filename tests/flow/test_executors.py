"""Processes outlive whatever their work does, and a step cannot tell them from Here."""

import subprocess
import sys
from multiprocessing import active_children

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, text

from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.flow.executors import Here, Processes, executor
from phonoscope.flow.shard import Shard
from phonoscope.testing.trouble import Stillborn, troubled


def carry_out(doing, items, work=troubled):
    told = []
    outcomes = list(doing.run(work, items, lambda *it: told.append(it)))
    assert active_children() == []
    return {outcome.source: outcome for outcome in outcomes}, told


def test_a_dead_worker_costs_its_own_item_only():
    items = ["a", "kill", "b", "exit", "c"]
    outcomes, _ = carry_out(Processes(2), items)
    assert outcomes.keys() == set(items)
    assert {item: o.failure.reason for item, o in outcomes.items() if o.failure} == {
        "kill": "crashed",
        "exit": "crashed",
    }
    assert "SIGKILL (signal 9" in outcomes["kill"].failure.message
    assert "exit code 3" in outcomes["exit"].failure.message


def test_a_hung_item_is_stopped_even_if_it_is_deaf_to_requests():
    outcomes, _ = carry_out(Processes(3, timeout_s=1.5), ["hang", "a", "stubborn", "b"])
    reasons = {item: o.failure.reason for item, o in outcomes.items() if o.failure}
    assert reasons == {"hang": "timeout", "stubborn": "timeout"}
    assert outcomes["hang"].failure.message == "took longer than 1.5 s and was stopped, in each of 2 tries"
    assert (outcomes["hang"].failure.step, outcomes["hang"].recording) == ("hang", "hang")  # where it was when it hung


def test_what_crashes_once_is_tried_again_after_the_others_and_comes_through(tmp_path):
    once = f"once {tmp_path / 'crashed'}"
    outcomes, _ = carry_out(Processes(1), [once, "a", "b"])
    assert list(outcomes) == ["a", "b", once] and not any(o.failure for o in outcomes.values())


@pytest.mark.parametrize("position", [0, 1])
def test_what_a_dead_worker_had_falls_to_one_that_is_idle(tmp_path, position):
    items = ["a"]
    items.insert(position, f"once {tmp_path / 'crashed'}")
    outcomes, _ = carry_out(Processes(2), items)
    assert outcomes.keys() == set(items) and not any(o.failure for o in outcomes.values())


def test_workers_live_on_from_item_to_item():
    items = [str(k) for k in range(200)]
    outcomes, _ = carry_out(Processes(2), items)
    assert outcomes.keys() == set(items)
    assert len({o.recording for o in outcomes.values()}) <= 2  # processes


def test_the_order_of_the_items_changes_nothing():
    items = ["c", "exit", "a", "kill", "b"]

    def results(order):
        return {item: o.failure for item, o in carry_out(Processes(2), order)[0].items()}

    assert results(items) == results(sorted(items))


def test_here_and_processes_agree():
    items = [str(k) for k in range(5)]
    here, processes = carry_out(Here(), items)[0], carry_out(Processes(2), items)[0]
    assert here.keys() == processes.keys() and list(here) == items


def test_progress_comes_through_but_not_all_20000_messages():
    _, told = carry_out(Processes(1), ["count"])
    assert told[0] == ("count", "count", 0, 0) and 1 <= len(told) < 200


def test_workers_that_cannot_begin_are_an_error_and_not_a_loop():
    with pytest.raises(PhonoscopeError, match="before they have begun, the last one with exit code 7"):
        list(Processes(1).run(Stillborn(), ["a"], lambda *_: None))
    assert active_children() == []


def test_no_worker_is_left_when_nobody_wants_the_rest():
    outcomes = Processes(2).run(troubled, ["a", "hang", "hang too"], lambda *_: None)
    assert next(outcomes).source == "a"
    outcomes.close()
    assert active_children() == []


@pytest.mark.parametrize("deed", ["os.kill(os.getpid(), signal.SIGKILL)", "os.kill(os.getpid(), signal.SIGINT)"])
def test_workers_go_with_their_parent(deed):
    script = f"""
import os, signal
from phonoscope.flow.executors import Processes
from phonoscope.testing.trouble import troubled
hanging = []
def told(item, *_):
    hanging.append(item)
    if len(hanging) == 2:
        {deed}
list(Processes(2).run(troubled, ["hang 1", "hang 2"], told))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    # run() comes back only when the last process that holds its pipes has gone
    assert done.returncode == (-9 if "KILL" in deed else -2)
    assert done.stderr.count("KeyboardInterrupt") == (0 if "KILL" in deed else 1)  # workers say nothing


@pytest.mark.parametrize(("jobs", "timeout_s", "kind"), [(1, None, Here), (1, 5.0, Processes), (2, None, Processes)])
def test_only_a_process_can_be_stopped(jobs, timeout_s, kind):
    assert type(executor(jobs, timeout_s)) is kind


def test_one_job_under_supervision_has_a_process_of_its_own():
    assert type(executor(1, None, supervised=True)) is Processes


@pytest.mark.parametrize(("jobs", "timeout_s"), [(0, None), (-1, None), (1, 0.0), (1, -1.0), (1, float("nan"))])
def test_no_jobs_and_no_time_are_refused(jobs, timeout_s):
    with pytest.raises(ValueError, match=r"at least one job|longer than 0 s"):
        executor(jobs, timeout_s)


@given(items=lists(text(), max_size=20), count=integers(1, 50))
def test_every_item_falls_to_exactly_one_shard(items, count):
    shards = [Shard(index, count) for index in range(1, count + 1)]
    assert all(sum(item in shard for shard in shards) == 1 for item in items)


def test_shards_are_the_same_on_every_machine():
    mine = [item for item in ("file:///films/a.mp4", "film-0badc0de") if item in Shard(1, 3)]
    assert mine == ["film-0badc0de"]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/", "/4", "a/b", "-1/4", "1/0", "1.0/2", ""])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match=r"shard is written 'i/n'|there is no part"):
        Shard.parse(text)


def test_a_shard_is_written_as_people_count():
    assert Shard.parse("4/4") == Shard(4, 4)
