"""`phonoscope doctor`: is everything here that phonoscope needs?"""

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from phonoscope.cli.options import parse
from phonoscope.core.errors import MissingWeights, UsageError
from phonoscope.data.espeak import voices
from phonoscope.job import DEFAULT, STEPS
from phonoscope.models import registry, weights


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
    print(f"cores {os.cpu_count()}, cache {weights.home()} ({_free(str(weights.home()))} free)")
    lacking = []
    for package in _packages():
        version = _version(package)
        lacking += [package] if version.startswith("MISSING") else []
        print(f"  {package:26} {version}")
    for extra, packages in _extras().items():
        print(f"  {f'[{extra}]':26} {_installed(extra, packages)}")
    print(f"  {'espeak-ng':26} {_espeak()}")
    mirror = os.environ.get("PHONOSCOPE_MODELS")
    print(f"weights: cache {weights.home() / 'weights'}, mirror {mirror or 'none; PHONOSCOPE_MODELS names one'}")
    for name in registry.names():
        card = registry.card_of(name)
        print(f"  {name:10} {card.licence:12} {weights.where(card) or 'not here; phonoscope models pull ' + name}")
    usual = {STEPS[name].backend_kind for name in DEFAULT}  # what `prepare` cannot do without
    for kind in registry.PREFERRED:
        if kind not in usual:
            print(f"  {kind:16} -> {present(kind) or 'to be fetched when it is first wanted'}")
            continue
        try:
            print(f"  {kind:16} -> {_here(kind) if options.offline else registry.choose(kind)}")
        except MissingWeights as error:
            lacking.append(kind)
            print(f"  {kind:16} -> MISSING: {error}")
    print("all well" if not lacking else f"missing: {', '.join(lacking)}")
    return 1 if lacking else 0


def present(kind: str) -> str | None:
    """The first of the preferred models of a kind whose weights are on this machine."""
    return next((name for name in registry.PREFERRED[kind] if weights.where(registry.card_of(name))), None)


def _here(kind: str) -> str:
    if name := present(kind):
        return name
    raise MissingWeights("none is here, and --offline forbids to fetch one")


def _packages() -> list[str]:
    """What phonoscope itself cannot do without, by its own account."""
    needs = _needs()
    if needs is None:
        return ["phonoscope"]  # the code is here, but was never installed
    return [_project(need) for need in needs if "extra ==" not in need]


def _extras() -> dict[str, list[str]]:
    """What is there for those who ask for it, by extra."""
    found: dict[str, list[str]] = {}
    for need in _needs() or ():
        if extra := re.search(r"""extra == ['"]([\w-]+)""", need):
            found.setdefault(extra[1], []).append(_project(need))
    return found


def _needs() -> list[str] | None:
    try:
        return importlib.metadata.requires("phonoscope") or []
    except importlib.metadata.PackageNotFoundError:
        return None


def _project(need: str) -> str:
    return re.split(r"[^\w.-]", need, maxsplit=1)[0]


def _installed(extra: str, packages: Sequence[str]) -> str:
    versions = [f"{package} {_version(package)}" for package in packages]
    if any("MISSING" in version for version in versions):
        return f"not installed: {sys.executable} -m pip install 'phonoscope[{extra}]'"
    return ", ".join(versions)


def _espeak() -> str:
    """What speaks, for `phonoscope speak`; a library, not a package."""
    try:
        return f"{len(voices().languages)} languages; GPL-3.0, called and never part of phonoscope"
    except UsageError as error:
        return str(error)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return f"MISSING: {sys.executable} -m pip install {package}"


def _free(path: str) -> str:
    while not os.path.exists(path):  # noqa: PTH110
        path = os.path.dirname(path)  # noqa: PTH120
    return f"{shutil.disk_usage(path).free / 1e9:.0f} GB"
