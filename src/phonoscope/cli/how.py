"""Options that the verbs share which work on many films."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg
from tyro.constructors import PrimitiveConstructorSpec

from phonoscope.core.errors import UsageError
from phonoscope.flow.executors import Executor
from phonoscope.flow.shard import Shard

Address = Annotated[
    str,
    PrimitiveConstructorSpec(
        nargs=(0, 1),
        metavar="[ADDRESS]",
        instance_from_str=lambda given: given[0] if given else "local",
        is_instance=lambda it: isinstance(it, str),
        str_from_instance=lambda it: [it] if it else [],
    ),
]
"""Of a cluster: "local" if the option stands alone, nothing if it is not given."""


@dataclass(frozen=True, kw_only=True)
class How:
    """How the work is done."""

    jobs: Annotated[int, arg(aliases=["-j"])] = 1  # recordings worked on at a time, each in a process of its own
    timeout: float | None = None  # seconds for one recording, after which its process is stopped; by default no limit
    ray: Address = ""  # have it done by a Ray cluster: alone starts one here, 'auto' finds one, host:port joins one
    unit_minutes: float = 10.0  # with several jobs, longer film is cut into units of about so many minutes; 0: never
    retry_failed: bool = False  # try again what failed, also what crashed or hung; give no films to mean all of those
    shard: str | None = None  # i/n, as in 2/8: take only this part of the work; other machines do the other parts
    json: bool = False  # a line of JSON a recording, for programs

    def checked(self) -> Shard | None:
        """The shard, if any.

        Raises:
            UsageError: one of the options makes no sense.
        """
        if self.jobs < 1:
            raise UsageError(f"--jobs is at least 1, got {self.jobs}")
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"--timeout is longer than 0 s, got {self.timeout:g}")
        if not 0 <= self.unit_minutes < float("inf"):
            raise UsageError(f"--unit-minutes is at least 0, got {self.unit_minutes:g}")
        if self.ray:
            from phonoscope.flow.cluster import check

            check(self.ray)
        return Shard.parse(self.shard) if self.shard else None

    def cluster(self) -> AbstractContextManager[Executor | None]:
        """The machines that do it, to be left at the end; None: this one does."""
        if not self.ray:
            return nullcontext()
        from phonoscope.flow.cluster import Ray

        return Ray(self.ray, self.jobs, self.timeout)
