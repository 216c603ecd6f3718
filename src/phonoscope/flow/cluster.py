"""Recordings worked on by the machines of a Ray cluster: ids go out, outcomes come back, all else lies in the store.

On every machine there are posts, actors of ours, each of which watches over one process that works, as `Processes` has
them here: what kills or hangs a decoder does not touch Ray. So a post is lost with its machine only, and what it had in
hand falls to another. Ray is imported in this file only, and late.
"""

import importlib.util
import logging
import os
import re
import socket
import sys
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.flow import executors
from phonoscope.flow.executors import Crew, Queue
from phonoscope.flow.run import OnProgress, Outcome, Work
from phonoscope.flow.stages import InStages, Stage, both, stages_of
from phonoscope.flow.workers import GRACE_S, Task
from phonoscope.store.ledger import Failure
from phonoscope.store.uri import as_uri

NEAR = ("local", "auto")  # addresses of clusters that this machine is in
LOSSES = 5  # of posts over one item; that a machine is lost is no fault of the item's, but five are no chance
STORE_BYTES = 80 << 20  # of Ray's own store, which holds no more than the work; it wants 75 MB at least
CONNECT_S = 5.0  # to hear from a cluster at all
PATIENCE_S = 30.0  # until we say that the cluster lets us wait

Said = tuple[str, str, int, int] | Outcome | Failure
"""What comes from a post: progress, how an item went, or why a process is gone that had it in hand."""


def check(address: str) -> None:
    """See to it that Ray is installed, and that somebody listens at the address.

    Raises:
        UsageError: it is not, or nobody does, or it is no address.
    """
    if importlib.util.find_spec("ray") is None:
        raise UsageError("Ray is not installed: pip install 'phonoscope[ray]'")
    if address in NEAR:
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise UsageError(f"--ray is given alone, or with 'local', 'auto' or host:port, got '{address}'")
    try:
        socket.create_connection((host, int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"no Ray cluster answers at {address} ({why}): `ray start --head` starts one") from None


class Ray:
    """Several at a time on the machines of a Ray cluster, each in a process of its own, under supervision.

    `with Ray("host:6379", workers=64) as doing` leaves the cluster at the end; "local" starts one on this machine, and
    stops it. Dead and late workers are dealt with as by `Processes`. What a lost machine had in hand is begun anew
    elsewhere, and that does not count as a try. Steps that need a GPU run on workers that have one, and keep the model.

    Raises:
        ValueError: fewer than one worker, or no time at all.
    """

    def __init__(self, address: str = "local", workers: int = 1, timeout_s: float | None = None) -> None:
        executors.check(workers, timeout_s)
        self.address, self.workers, self.timeout_s = address, workers, timeout_s
        self._joined = False

    def __enter__(self) -> "Ray":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the cluster; end it if it is ours. Somebody else's connection is left alone."""
        if self._joined:
            import ray

            ray.shutdown()
            self._joined = False

    def run(self, work: Task, sources: Iterable[str], on_progress: OnProgress) -> Generator[Outcome, None, None]:
        """Outcomes as they come. However it ends, no worker is left.

        Raises:
            PhonoscopeError: there is no cluster, it has no GPU for a step that needs one, or workers cannot begin.
        """
        items = list(sources)
        if not items:
            return
        stages = stages_of(_for_anywhere(work))
        self._join(stages)
        posts = _Posts(stages, items, self.workers, self.timeout_s)
        try:
            while posts.busy:
                yield from posts.turn(on_progress)
        finally:
            posts.stop()

    def _join(self, stages: Sequence[Stage]) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nobody is told that we run, or what; read at import
        import ray

        if ray.is_initialized():
            return
        ours: dict[str, Any] = {}
        if self.address == "local":
            cpus = ceil(self.workers * max(stage.needs.cpus for stage in stages))
            ours = {
                "num_cpus": cpus, "include_dashboard": False, "object_store_memory": STORE_BYTES,
                "_node_ip_address": "127.0.0.1", "_system_config": {"memory_monitor_refresh_ms": 0},
            }  # fmt: skip
        try:
            ray.init(self.address, log_to_driver=False, logging_level=logging.ERROR, **ours)
        except Exception as error:  # of a machine that is too busy to start one Ray says no more than that
            hint = "" if self.address in NEAR else "; if it wants a token, set RAY_AUTH_MODE=token"
            raise PhonoscopeError(f"no Ray cluster at '{self.address}': {_gist(error)}{hint}") from error
        self._joined = True
        _hush(ray)


def _for_anywhere(work: Task) -> Task:
    """The same work for a machine on which we stand in another folder."""
    if not isinstance(work, Work) or "://" in work.root:
        return work
    return replace(work, root=os.path.abspath(work.root))  # noqa: PTH100 - links are kept, as they are for films


def _hush(ray: Any) -> None:
    """Send Ray's remarks on workers and machines to our log: it would print them among what programs read."""

    def say(data: Any, **_: Any) -> None:
        logging.getLogger("phonoscope").info("ray: %s", " ".join(data.get("lines", ())))

    ray._private.worker.print_to_stdstream = say


def _gist(error: BaseException) -> str:
    """The one line that tells what was wrong, of an error whose text may be a whole traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception): ", line)]
    return (named or lines[:1] or [type(error).__name__])[-1]


class Post:
    """What Ray makes an actor of: one process that works, and what watches over it."""

    def __init__(self, work: Task, timeout_s: float | None) -> None:
        vars(sys.modules["__main__"]).pop("__file__", None)  # Ray's; a spawned process would read all of it in
        self.crew = Crew(work, 1, timeout_s)

    def begin(self) -> None:
        """Answer: then the machine is there, and has what the work needs."""

    def do(self, item: str) -> Iterator[Said]:
        """What the process says over an item, as it comes; at the end its outcome, or why the process is gone."""
        todo, told = deque([item]), deque[Said]()
        while todo or self.crew.busy:
            said = [*self.crew.turn(todo, lambda *progress: told.append(progress))]
            told.extend(said)
            while told:  # not `yield from told`: Ray sends into us, and a deque takes nothing
                yield told.popleft()

    def leave(self) -> None:
        """Let the process go."""
        self.crew.stop()


class _Hand:
    """One post, as its coordinator sees it."""

    def __init__(self, kind: Any, stage: Stage, work: Any, timeout_s: float | None) -> None:
        cpus = 0 if stage.on_gpu else stage.needs.cpus  # those without a GPU may hold every core, and wait for this one
        needs = {"num_cpus": cpus, "num_gpus": stage.needs.gpus}
        self.actor = kind.options(max_restarts=0, scheduling_strategy="SPREAD", **needs).remote(work, timeout_s)
        self.on_gpu = stage.on_gpu
        self.line: Any = self.actor.begin.remote()  # what we listen to: that it is there, then what it says
        self.ready = False
        self.stage, self.item, self.word = 0, "", ""  # what it has in hand: in our words, and in those that went out

    def give(self, stage: int, item: str, word: str) -> None:
        """Put an item into its hands."""
        self.stage, self.item, self.word = stage, item, word
        self.line = self.actor.do.options(num_returns="streaming").remote(f"{stage} {word}")

    def rest(self) -> None:
        """It is through with its item."""
        self.item, self.line = "", None


class _Posts:
    """All posts, and what is still to be done."""

    def __init__(self, stages: Sequence[Stage], items: Iterable[str], size: int, timeout_s: float | None) -> None:
        import ray

        self.ray, self.stages, self.timeout_s = ray, stages, timeout_s
        self.queues = [Queue(items), *(Queue(()) for _ in stages[1:])]
        self.work = ray.put(InStages(tuple(stage.work for stage in stages)))
        self.kind = ray.remote(Post)
        self.hands: list[_Hand] = []
        self.so_far: dict[str, Outcome] = {}  # of items that have some stages behind them
        self.losses: Counter[str] = Counter()
        self.stillborn, self.said_so = 0, False
        self.sizes = {False: size, True: min(size, self._gpus())}

    def _gpus(self) -> int:
        """How many posts with a GPU, or their part of one, the cluster has room for."""
        need = max(stage.needs.gpus for stage in self.stages)
        found = self.ray.cluster_resources().get("GPU", 0)
        if need > found:
            raise PhonoscopeError(f"steps of this plan need {need:g} GPUs, and the cluster has {found:g}")
        return int(found / need) if need else 0

    @property
    def busy(self) -> bool:
        """Whether anything is not through."""
        return any(queue.items for queue in self.queues) or any(hand.item for hand in self.hands)

    def turn(self, on_progress: OnProgress) -> Generator[Outcome, None, None]:
        """Fill the ranks, give out items, wait until something is said, and see to it."""
        self._hire()
        for hand in self.hands:
            self._occupy(hand)
        speaking = {hand.line: hand for hand in self.hands if hand.line is not None}
        ready, _ = self.ray.wait([*speaking], timeout=PATIENCE_S)
        if not ready and not self.said_so and not any(hand.ready for hand in self.hands):
            self.said_so = True
            logging.getLogger("phonoscope").warning("the cluster has no free core for a worker yet: waiting for one")
        if ready:
            ready, _ = self.ray.wait([*speaking], num_returns=len(speaking), timeout=0)
        for line in ready:
            yield from self._listen(speaking[line], on_progress)

    def _hire(self) -> None:
        for on_gpu, size in self.sizes.items():
            ours = [hand for hand in self.hands if hand.on_gpu == on_gpu]
            queues = [(stage, q) for stage, q in zip(self.stages, self.queues, strict=True) if stage.on_gpu == on_gpu]
            wanted = sum(len(queue.items) for _, queue in queues) + sum(bool(hand.item) for hand in ours)
            for _ in range(min(size, wanted) - len(ours)):
                most, _ = max(queues, key=lambda it: (it[0].needs.gpus, it[0].needs.cpus))
                self.hands.append(_Hand(self.kind, most, self.work, self.timeout_s))

    def _occupy(self, hand: _Hand) -> None:
        """Give a free hand an item, of the latest stage that it can do: what has been begun is finished first."""
        if not hand.ready or hand.item:
            return
        for number in reversed(range(len(self.stages))):
            if self.stages[number].on_gpu == hand.on_gpu and self.queues[number].items:
                item = self.queues[number].items.popleft()
                hand.give(number, item, self._word(number, item))
                return

    def _word(self, number: int, item: str) -> str:
        """An item as other machines know it."""
        work = self.stages[number].work
        if number:
            return self.so_far[item].recording
        return as_uri(item) if isinstance(work, Work) and work.ingests and not work.in_units else item

    def _listen(self, hand: _Hand, on_progress: OnProgress) -> Generator[Outcome, None, None]:
        from ray.exceptions import RayError, RayTaskError

        try:
            said = self.ray.get(next(hand.line) if hand.ready else hand.line)
        except RayTaskError as error:
            raise PhonoscopeError(f"workers cannot begin: {_gist(error.cause or error)}") from None
        except RayError as error:
            yield from self._lost(hand, error)
            return
        if not hand.ready:
            hand.ready, hand.line, self.stillborn = True, None, 0
        elif isinstance(said, Outcome):
            yield from self._through(hand, said)
        elif isinstance(said, Failure):
            recording = hand.item if said.recording == hand.word else said.recording
            cost = replace(said, source=hand.item, recording=recording)
            hand.rest()
            yield from self.queues[hand.stage].settled(cost)
        else:
            recording, *progress = said
            on_progress(hand.item if recording == hand.word else recording, *progress)

    def _through(self, hand: _Hand, said: Outcome) -> Generator[Outcome, None, None]:
        item, number = hand.item, hand.stage
        hand.rest()
        if number:
            said = both(self.so_far.pop(item), said)
        if number + 1 < len(self.stages) and said.recording and not (said.failure or said.units):
            self.so_far[item] = said
            self.queues[number + 1].items.append(item)
        else:
            yield said

    def _lost(self, hand: _Hand, error: Exception) -> Generator[Outcome, None, None]:
        """A post is gone, with its machine unless Ray ended it to save memory: another begins anew what it had."""
        self.hands.remove(hand)
        self.ray.kill(hand.actor)  # if it is but out of reach, it shall not go on
        self.stillborn += not hand.ready
        if self.stillborn > 2 * max(self.sizes.values()):
            raise PhonoscopeError(f"workers are lost before they have begun: {_gist(error)}")
        if not hand.item:
            return
        self.losses[hand.item] += 1
        if self.losses[hand.item] < LOSSES:
            self.queues[hand.stage].items.appendleft(hand.item)
            return
        said = f"whoever worked on it was lost, {LOSSES} times: with a machine, or as happens when memory runs out"
        failure = Failure(source=hand.item, recording="", step="ingest", reason="crashed", message=said)
        yield Outcome(source=hand.item, failure=failure)

    def stop(self) -> None:
        """Idle workers go by themselves; those at work are ended with their posts."""
        idle = [hand.actor.leave.remote() for hand in self.hands if hand.ready and not hand.item]
        if idle:
            self.ray.wait(idle, num_returns=len(idle), timeout=GRACE_S)
        while self.hands:
            self.ray.kill(self.hands.pop().actor)
