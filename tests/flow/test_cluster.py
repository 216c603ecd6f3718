"""A cluster gives what one machine gives, whatever becomes of its machines."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest
from hypothesis import given
from hypothesis.strategies import data, integers, lists, sampled_from

from phonoscope.cli.main import main
from phonoscope.cli.options import parse
from phonoscope.cli.run import Run
from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.flow import cluster as cluster_module
from phonoscope.flow.cluster import Ray, check
from phonoscope.flow.stages import in_turns, stages_of
from phonoscope.flow.step import Needs
from phonoscope.store.ledger import read_failures
from phonoscope.testing.buckets import KEYS
from phonoscope.testing.quick import fingerprint, quick_job
from phonoscope.testing.trouble import Stillborn, on_its_machine, troubled


@pytest.fixture(scope="module")
def cluster() -> Iterator[SimpleNamespace]:
    """A cluster whose head does no work; `grow` adds a machine, `lose` takes one away as if its plug were pulled."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_AUTH_MODE", "disabled")  # it would put a token into our home
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 << 20}
    ours = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **small})
    ray.init(ours.address, log_to_driver=False, logging_level="ERROR")
    cluster_module._hush(ray)  # as if we had not been there before
    yield SimpleNamespace(
        address=ours.address,
        grow=lambda **has: ours.add_node(**{"num_cpus": 1, **small, **has}),
        lose=lambda node: ours.remove_node(node, allow_graceful=False),
    )
    ray.shutdown()
    ours.shutdown()
    patch.undo()


@pytest.fixture(scope="module")
def machine(cluster, s3, tmp_path_factory) -> object:
    """A machine that is there in every test."""
    return cluster.grow(num_cpus=2, num_gpus=1, env_vars=_far(s3, tmp_path_factory.mktemp("machine")))


def _far(s3, home: Path) -> dict[str, str]:
    """What a machine is told that reaches a bucket, and keeps elsewhere than we do what it has fetched."""
    return {**KEYS, "AWS_ENDPOINT_URL": s3.url, "PHONOSCOPE_HOME": str(home)}


def carry_out(doing, items, on_progress=lambda *_: None, work=troubled):
    outcomes = list(doing.run(work, items, on_progress))
    assert len({o.source for o in outcomes}) == len(outcomes)
    return {outcome.source: outcome for outcome in outcomes}


def test_what_dies_or_hangs_fails_as_it_does_in_processes(machine):
    told, items = [], ["a", "kill", "hang", "count", "b"]
    outcomes = carry_out(Ray(workers=2, timeout_s=1.5), items, lambda *it: told.append(it))
    assert outcomes.keys() == {*items}
    killed, hung = (outcomes.pop(item).failure for item in ("kill", "hang"))
    assert not any(outcome.failure for outcome in outcomes.values())
    assert (killed.reason, hung.reason, hung.step, hung.recording) == ("crashed", "timeout", "hang", "hang")
    assert "SIGKILL (signal 9" in killed.message and killed.message.endswith("in each of 2 tries")
    assert hung.message == "took longer than 1.5 s and was stopped, in each of 2 tries"
    counted = [it for it in told if it[0] == "count"]
    assert counted[0] == ("count", "count", 0, 0) and 1 <= len(counted) < 200


def test_a_cluster_gives_the_same_bytes_as_here(machine, films, undisturbed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where nobody else of the cluster stands
    outcomes = list(quick_job(films, "store").carry_out(2, doing=Ray(workers=2)))
    assert not [o.failure for o in outcomes if o.failure] and fingerprint(tmp_path / "store") == undisturbed
    again = list(quick_job(films, "store").carry_out(2, doing=Ray(workers=2)))
    assert len(again) == len(films) and not any(o.made for o in again)


def test_what_a_lost_machine_had_in_hand_is_done_by_another(cluster, machine, films, undisturbed, tmp_path):
    doomed, told = cluster.grow(num_cpus=2), []

    def lose(*said) -> None:
        told.append(said)
        if len(told) == 12:
            cluster.lose(doomed)

    bad = tmp_path / "bad.mp4"
    bad.write_text("no film")
    outcomes = list(quick_job([bad, *films], tmp_path / "store").carry_out(4, lose, doing=Ray(workers=4)))
    assert sorted(o.source for o in outcomes) == sorted(path.as_uri() for path in (bad, *films)) and len(told) > 12
    assert [o.source for o in outcomes if o.failure] == [bad.as_uri()]
    assert fingerprint(tmp_path / "store") == undisturbed and not list((tmp_path / "store").rglob(".*"))
    assert [failure.source for failure in read_failures(tmp_path / "store")] == [bad.as_uri()]


def test_machines_that_share_nothing_but_a_bucket_fill_it_with_the_same_bytes(
    cluster, machine, s3, bucket, films, undisturbed, tmp_path
):
    twin = cluster.grow(env_vars=_far(s3, tmp_path / "twin"))
    outcomes = list(quick_job(films, bucket).carry_out(3, doing=Ray(workers=3)))
    cluster.lose(twin)
    assert not [o.failure for o in outcomes if o.failure] and len(outcomes) == len(films)
    assert [path.name for path in (tmp_path / "twin").iterdir()] == ["stores"]
    there = fsspec.filesystem(
        "s3", endpoint_url=s3.url, key=KEYS["AWS_ACCESS_KEY_ID"], secret=KEYS["AWS_SECRET_ACCESS_KEY"]
    )
    for outcome in outcomes:
        at = f"{bucket}/recordings/{outcome.recording}"
        for name, (sha256, _) in json.loads(there.cat_file(f"{at}/files.json")).items():
            copy = tmp_path / "copy" / "recordings" / outcome.recording / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(there.cat_file(f"{at}/{sha256[:16]}/{name}"))
    assert fingerprint(tmp_path / "copy") == undisturbed


def test_what_costs_one_machine_after_the_other_is_given_up(machine, monkeypatch):
    monkeypatch.setattr(cluster_module, "LOSSES", 2)
    outcomes = carry_out(Ray(workers=1), ["orphan", "a"])
    assert outcomes["a"].failure is None and outcomes["orphan"].failure.reason == "crashed"
    assert "lost, 2 times" in outcomes["orphan"].failure.message


def test_workers_live_on_from_item_to_item_and_none_is_left_when_nobody_wants_the_rest(machine):
    import ray

    items = [str(k) for k in range(50)]
    outcomes = Ray(workers=2).run(troubled, [*items, "hang", "hang too"], lambda *_: None)
    done = [next(outcomes) for _ in items]
    outcomes.close()
    pids = {int(outcome.recording) for outcome in done}
    assert {outcome.source for outcome in done} == {*items} and len(pids) <= 2  # processes
    until_s = time.monotonic() + 60
    while any(map(_is_there, pids)) or ray.available_resources().get("CPU") != ray.cluster_resources()["CPU"]:
        assert time.monotonic() < until_s
        time.sleep(0.1)


def test_workers_that_cannot_begin_are_an_error_and_not_a_loop(machine):
    with pytest.raises(PhonoscopeError, match="workers are lost before they have begun: "):
        list(Ray(workers=1).run(Stillborn(), ["a"], lambda *_: None))


def test_steps_that_need_a_gpu_run_where_one_is_and_give_the_same(machine, films, undisturbed, tmp_path):
    job = quick_job(films, tmp_path)
    steps = [replace(s, needs=Needs(gpus=0.5)) if s.name in ("faces", "asd") else s for s in job.work.steps]
    job = replace(job, work=replace(job.work, steps=tuple(steps), load_backend=on_its_machine))
    assert [stage.on_gpu for stage in stages_of(job.work)] == [False, True, False, True]
    outcomes = list(job.carry_out(1, doing=Ray(workers=1)))
    assert not [o.failure for o in outcomes if o.failure] and fingerprint(tmp_path) == undisturbed
    (here,) = quick_job(films[:1], tmp_path / "here").carry_out()
    assert all(sorted(o.made) == sorted(here.made) and not o.kept for o in outcomes)


def test_a_plan_that_needs_more_gpus_than_there_are_is_an_error(machine, films, tmp_path):
    job = quick_job(films, tmp_path)
    steps = tuple(replace(step, needs=Needs(gpus=2)) for step in job.work.steps)
    with pytest.raises(PhonoscopeError, match="need 2 GPUs, and the cluster has 1"):
        list(replace(job, work=replace(job.work, steps=steps)).carry_out(doing=Ray(workers=1)))


@given(data())
def test_turns_are_in_order_and_of_one_kind(data):
    count = data.draw(integers(0, 8))
    steps = []
    for k in range(count):
        inputs = data.draw(lists(sampled_from(range(k)), unique=True)) if k else []
        gpus = data.draw(sampled_from([0, 0.5, 1]))
        steps.append(SimpleNamespace(name=str(k), inputs=tuple(map(str, inputs)), needs=Needs(gpus=gpus)))
    turns = in_turns(steps)
    turn_of = {step.name: k for k, turn in enumerate(turns) for step in turn}
    assert len(turn_of) == count == sum(map(len, turns)) and all(turns[1:])
    assert all(turn_of[step.name] % 2 == (step.needs.gpus > 0) for step in steps)
    assert all(turn_of[name] <= turn_of[step.name] for step in steps for name in step.inputs)


SCRIPT = """
import sys
from phonoscope.flow.cluster import Ray
from phonoscope.testing.trouble import troubled
with Ray("local", workers=2) as doing:
    for outcome in doing.run(troubled, sys.argv[1:], lambda item, *_: print(item, flush=True)):
        pass
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Ray's own processes outlive a killed driver for a while")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_us_on_a_cluster_of_our_own(number):
    items = ["hang 1", "hang 2"]
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *items], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "RAY_AUTH_MODE": "disabled"},
    ) as doing:  # fmt: skip
        said = {doing.stdout.readline().strip() for _ in range(2)}
        born = _workers_below(doing.pid)
        doing.send_signal(number)
        out, err = doing.communicate()
    assert said == {*items} and len(born) > 2
    assert (out, doing.returncode) == ("", -number)
    assert err.count("Traceback") == (number == signal.SIGINT)
    until_s = time.monotonic() + 90
    while any(map(_is_there, born)):
        assert time.monotonic() < until_s
        time.sleep(0.1)


def _workers_below(pid: int) -> list[int]:
    """Posts, and processes that work for them, of those that a process has started or had started."""
    told = subprocess.run(["ps", "-eww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    table = [
        (int(child), int(parent), said) for child, parent, said in (line.split(None, 2) for line in told.splitlines())
    ]
    family = {pid}
    for _ in range(5):  # generations: us, the raylet, a post, what it watches over
        family |= {child for child, parent, _ in table if parent in family}
    return [child for child, _, said in table if child in family and ("Post" in said or "multiprocessing" in said)]


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("given", "meant"),
    [([], ""), (["--ray"], "local"), (["--ray", "auto"], "auto"), (["--ray", "head:6379", "-j", "8"], "head:6379")],
)
def test_the_address_may_be_left_away(given, meant):
    options, _ = parse(Run, ["tracks", "films", *given])
    assert options.how.ray == meant and options.names == ("tracks", "films")


def test_programs_can_read_what_is_told_of_a_cluster(cluster, machine, films, tmp_path, capsys):
    told = ["--ray", cluster.address, "--json"]
    assert main(["ingest", str(films[0]), str(tmp_path / "none.mp4"), "--to", str(tmp_path / "store"), *told]) == 1
    states = [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(states[:2]) == ["failed", "made"] and states[2:] == ["over"]


@pytest.mark.parametrize("address", ["film.mp4", "head", "head:", ":6379", "ray://head:10001", "s3://bucket:1/films"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UsageError, match="'local', 'auto' or host:port"):
        check(address)


def test_a_cluster_that_is_not_there_is_one_line_before_the_work_begins(tmp_path):
    options, _ = parse(Run, ["tracks", str(tmp_path), "--ray", "127.0.0.1:1"])
    with pytest.raises(UsageError, match=r"no Ray cluster answers at 127\.0\.0\.1:1 \(.+\): `ray start --head`"):
        options.how.checked()


def test_no_workers_and_no_time_are_refused():
    for refused in ({"workers": 0}, {"timeout_s": 0.0}):
        with pytest.raises(ValueError, match=r"at least one job|longer than 0 s"):
            Ray(**refused)


def test_a_missing_extra_is_one_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'phonoscope\[ray\]'"):
        check("local")
