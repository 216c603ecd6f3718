"""Work that goes wrong in every way that a decoder can: for executors, which must outlive it."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from phonoscope.flow.run import OnProgress, Outcome


def troubled(item: str, on_progress: OnProgress = lambda *_: None) -> Outcome:
    """Do what the item says.

    "kill" and "exit" end the process, "orphan" whoever watches over it, "hang" never ends, "stubborn" does not even
    when asked to, "count" tells of progress; "once PATH" ends the process if there is no file PATH, and makes one;
    everything else just comes through.
    """
    word, _, rest = item.partition(" ")
    on_progress(item, word, 0, 0)
    if word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "exit":
        os._exit(3)
    elif word == "orphan":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    elif word == "hang" or word == "stubborn":
        if word == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(60)
    elif word == "once" and not Path(rest).exists():
        Path(rest).touch()
        time.sleep(0.5)  # until the other workers have nothing more to do
        os._exit(1)
    elif word == "count":
        for done in range(20_000):
            on_progress(item, word, done, 20_000)
    return Outcome(source=item, recording=str(os.getpid()))


def deadly(model: str, threads: int = 1) -> Any:
    """Loading a model, where that ends the process."""
    os.kill(os.getpid(), signal.SIGKILL)


def on_its_machine(kind: str, threads: int = 1) -> Any:
    """The rule that stands for a kind of network: what looks is given where there is a GPU only, what hears elsewhere.

    Raises:
        RuntimeError: it was asked for in the wrong place.
    """
    from phonoscope.testing.quick import rule  # late: most of what goes wrong needs no steps

    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if bool(gpus) != (kind != "voice_detector"):
        raise RuntimeError(f"{kind} where GPUs are '{gpus}'")
    return rule(kind, threads)


class Stillborn:
    """Work that no other process can receive."""

    def __reduce__(self) -> Any:
        return os._exit, (7,)

    def __call__(self, item: str, on_progress: OnProgress) -> Outcome:
        return Outcome(source=item)
