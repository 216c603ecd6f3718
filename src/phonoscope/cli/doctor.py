"""`phonoscope doctor`: is everything here that phonoscope needs?"""

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from phonoscope.cli.options import parse
from phonoscope.core.errors import MissingWeights
from phonoscope.models import load

PACKAGES = (
    "numpy", "scipy", "av", "opencv-python-headless", "onnxruntime", "ai-edge-litert", "pyarrow", "soxr", "soundfile",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Check this machine: packages, weights, where they would come from, and the line that mends what is missing.

    phonoscope doctor
    phonoscope doctor --offline      fetch nothing, only look
    """

    offline: bool = False  # do not try to fetch weights that are not here


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if something that the main job needs is missing."""
    options, _ = parse(Doctor, arguments, with_params=False)
    print(f"phonoscope {_version('phonoscope')}, Python {platform.python_version()}, {platform.platform()}")
    print(f"cores {os.cpu_count()}, cache {load.home()} ({_free(str(load.home()))} free)")
    for package in PACKAGES:
        print(f"  {package:26} {_version(package)}")
    mirror = os.environ.get("PHONOSCOPE_MODELS")
    print(f"weights: cache {load.home() / 'weights'}, mirror {mirror or 'none; PHONOSCOPE_MODELS names one'}")
    for name in load.names():
        card = load.card_of(name)
        print(f"  {name:10} {card.licence:12} {load.where(card) or 'not here; phonoscope models pull ' + name}")
    lacking = []
    for kind in load.PREFERRED:
        try:
            print(f"  {kind:16} -> {load.choose(kind) if not options.offline else _here(kind)}")
        except MissingWeights as error:
            lacking.append(kind)
            print(f"  {kind:16} -> MISSING: {error}")
    print("all well" if not lacking else f"missing: {', '.join(lacking)}")
    return 1 if lacking else 0


def _here(kind: str) -> str:
    for name in load.PREFERRED[kind]:
        if load.where(load.card_of(name)):
            return name
    raise MissingWeights("none is here, and --offline forbids to fetch one")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return f"MISSING: {sys.executable} -m pip install {package}"


def _free(path: str) -> str:
    while not os.path.exists(path):  # noqa: PTH110
        path = os.path.dirname(path)  # noqa: PTH120
    return f"{shutil.disk_usage(path).free / 1e9:.0f} GB"
