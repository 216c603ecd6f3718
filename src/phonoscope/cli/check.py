"""`phonoscope check`: are collected clips fit for training?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import msgspec
from tyro.conf import Positional, arg

from phonoscope import job as api
from phonoscope.cli.how import How
from phonoscope.cli.options import parse
from phonoscope.cli.progress import outcomes
from phonoscope.core.errors import UsageError
from phonoscope.corpora.listing import Lists
from phonoscope.corpora.vlogs import TREE, Tree, survey
from phonoscope.corpora.vlogs_check import NEEDS, Problem, misplaced, unfit
from phonoscope.report.wording import count
from phonoscope.store.folder import Store
from phonoscope.store.uri import as_uri


@dataclass(frozen=True, kw_only=True)
class Check:
    """What speaks against training on collected clips, a line a problem. Exit code 1 if there is any.

    phonoscope check vlogs videos_sw
    phonoscope check vlogs videos_sw --to films -j 4

    No face, several faces at a time, no speech, no sound, shorter than 1 s, unreadable, the same film twice; a speaker
    in two sets, a set or speaker without clips, clips that do not lie as {set}/{speaker}/{clip}. For this, faces are
    looked for and voices listened for: with --to, what is found is kept in a store, where `prepare` goes on from it.
    """

    corpus: Positional[Literal["vlogs"]]  # how the clips lie: vlogs is {set}/{speaker}/{clip}
    folder: Positional[Path]  # where they lie
    to: Path | None = None  # the store to work in; by default one that is thrown away at the end
    jobs: Annotated[int, arg(aliases=["-j"])] = 1  # clips worked on at a time, each in a process of its own
    timeout: float | None = None  # seconds for one clip, after which its process is stopped; by default no limit
    json: bool = False  # a line of JSON a problem and a last one with the counts, for programs
    config: Path | None = None  # TOML file with settings: a table a step, as in [faces] every = 2


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if there is a problem."""
    options, params = parse(Check, arguments)
    how = How(jobs=options.jobs, timeout=options.timeout, json=options.json)
    how.checked()
    tree = survey(options.folder.expanduser())
    found = misplaced(tree)
    if tree.clips:
        with _room(options.to) as to:
            found += _unfit(tree, to, params, how)
    elif not found:
        raise UsageError(f"no clip in '{options.folder}': films lie in it as {TREE}")
    for problem in sorted(found, key=lambda it: (it.path, it.kind)):
        print(msgspec.json.encode(asdict(problem)).decode() if how.json else problem)
    if how.json:
        print(msgspec.json.encode({"state": "over", "clips": len(tree.clips), "problems": len(found)}).decode())
    else:
        print(f"{count(len(tree.clips), 'clip')}, {count(len(found), 'problem')}")
    return int(bool(found))


def _unfit(tree: Tree, to: Path, params: Any, how: How) -> list[Problem]:
    job = api.prepare([path for path, _ in tree.clips], to, NEEDS, params)
    lists = Lists({as_uri(str(path)): listed for path, listed in tree.clips})
    job = replace(job, work=replace(job.work, corpus=lists))
    return unfit(tree, {it.source: it for it in outcomes(job, how)}, Store(to))


@contextmanager
def _room(to: Path | None) -> Iterator[Path]:
    """The store to work in."""
    if to is not None:
        yield to
        return
    with TemporaryDirectory(prefix="phonoscope-") as made:
        yield Path(made) / "check"
