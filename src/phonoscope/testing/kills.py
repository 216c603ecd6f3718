"""Being killed just before the n-th touch of a folder, in a copy of this process, so that tests may try every n."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

TOUCHES = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link")


def kill_at(touch: int, folder: Path) -> None:
    """Arrange for the end of this process before it touches what is in the folder for the n-th time."""
    left = [touch]

    def hook(event: str, arguments: tuple) -> None:
        if event in TOUCHES and str(arguments[0]).startswith(str(folder)):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def forked(do: Callable[[], object]) -> int:
    """Do it in a copy of this process; its exit code, negative if it was killed."""
    child = os.fork()
    if child == 0:
        do()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
