"""Options that the verbs share which work on many films."""

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from phonoscope.core.errors import UsageError
from phonoscope.flow.shard import Shard


@dataclass(frozen=True, kw_only=True)
class How:
    """How the work is done."""

    jobs: Annotated[int, arg(aliases=["-j"])] = 1  # recordings worked on at a time, each in a process of its own
    timeout: float | None = None  # seconds for one recording, after which its process is stopped; by default no limit
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
        return Shard.parse(self.shard) if self.shard else None
