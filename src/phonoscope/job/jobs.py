"""The jobs: films in, a prepared store out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from phonoscope.core.errors import UsageError
from phonoscope.core.media import Rights
from phonoscope.corpora.folder import sources
from phonoscope.corpora.labelled import labelled_films, read_labels
from phonoscope.corpora.listing import films_of, remembered, rights_of, to_retry
from phonoscope.flow.ingest import GIVEN
from phonoscope.flow.job import Job
from phonoscope.flow.plan import plan
from phonoscope.flow.run import Work
from phonoscope.flow.shard import Shard
from phonoscope.job.settings import ClockParams, Params
from phonoscope.job.steps import DEFAULT, STEPS
from phonoscope.job.work import work_on
from phonoscope.models.registry import check_installed
from phonoscope.store.folder import Store, StoreSettings, must_be_empty
from phonoscope.store.ledger import known_sources, read_failures
from phonoscope.store.shared import latest, opened


def open_store(to: Path | str, clock: ClockParams) -> Store | None:
    """The store at `to`, or None where one can be made; nothing is written.

    Raises:
        UsageError: what lies there is no store, or one that keeps another time.
    """
    root, uri = opened(to)
    if latest(root, "store.json").exists():
        return Store.create(uri, _settings(clock))
    if uri != str(root):  # a bucket
        return None
    there = next(path for path in (root, *root.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UsageError(f"'{there}' is a file: give a new or empty folder to --to")
    if there == root:
        must_be_empty(root)
    return None


def _settings(clock: ClockParams) -> StoreSettings:
    return StoreSettings(fps=clock.fps, sample_rate=clock.sample_rate)


def prepare(
    films: Iterable[str | Path],
    to: Path | str,
    names: Sequence[str] = DEFAULT,
    params: Any = None,
    rights: Rights | None = None,
    *,
    corpus: str = "",
    retry_failed: bool = False,
    shard: Shard | None = None,
) -> Job:
    """The job that takes films into the store at `to` and makes `names` of each, once it is carried out.

    >>> for outcome in prepare(["film.mp4"], "films").carry_out():
    ...     print(outcome.recording, outcome.made)

    Args:
        names: what is named beyond DEFAULT is made even where a corpus has given what only that would serve.
        corpus: the films are folders in which a corpus of this name lies; who is in a film and in which set is kept.
        retry_failed: try again what has crashed or hung; without films, all whose failures stand and concern `names`.
        shard: take only this part of the films; other machines, with the same paths, may do the others meanwhile.

    Raises:
        UsageError: the films, an artifact's name or the store are not what they should be.
    """
    films, params = [str(film) for film in films], params or Params()
    plan(names, STEPS, frozenset(GIVEN))  # what nothing makes is found out before a store is made
    items, lists = films_of(corpus, films) if corpus else (sources(films) if films or not retry_failed else [], None)
    store = open_store(to, params.clock) if items else Store(to)
    store = Store.create(to, _settings(params.clock)) if store is None else store
    work = replace(_work(store, names, params), known=known_sources(store), rights=rights or Rights())
    work = replace(work, rights_of={} if rights and rights != Rights() else rights_of(films))
    work = replace(work, corpus=lists or remembered(read_failures(store.root)))
    job = Job(store=store, work=work, items=items, retry_failed=retry_failed)
    if not items:
        job = replace(job, items=to_retry(job.failed()))
    return _able(job.part(shard))


def annotations(
    tables: Iterable[str | Path],
    films: Path | str,
    to: Path | str,
    params: Any = None,
    rights: Rights | None = None,
    *,
    split: str = "",
    max_gap_s: Fraction | None = None,
    retry_failed: bool = False,
    shard: Shard | None = None,
) -> Job:
    """The job that takes labelled films into the store at `to`, and gives each its `tracks` and `labels`.

    Args:
        tables: of AVA's or ASW's layouts, or folders of them.
        films: the folder with films that are named for their videos.
        params: as of `prepare`; by default each film keeps its own rate.
        split: the set that these videos belong to.
        max_gap_s: a face without a label for longer begins a new track; by default 0.1 s in AVA's, 0.3 s in ASW's.

    Raises:
        UsageError: the tables, the films or the store are not what they should be.
    """
    params = params or Params(clock=ClockParams(fps=None))
    paths, writer = labelled_films(*read_labels(tables), Path(films).expanduser(), max_gap_s, split)
    job = prepare(paths, to, (), params, rights, retry_failed=retry_failed, shard=shard)
    return replace(job, work=replace(job.work, corpus=writer))


def run(
    names: Sequence[str],
    store: Store | Path | str,
    params: Any = None,
    only: Sequence[str] = (),
    *,
    retry_failed: bool = False,
    shard: Shard | None = None,
) -> Job:
    """The job that makes `names`, and what they need, of the recordings of a store.

    Args:
        only: ids of recordings; by default all of them, or, to retry, those whose failures stand and concern `names`.
        retry_failed: try again what has failed, and what has crashed or hung.
        shard: take only this part of the recordings.

    Raises:
        UsageError: nothing makes one of the names, or there is no such store or recording.
    """
    store = store if isinstance(store, Store) else Store(store)
    work = replace(_work(store, names, params or Params()), ingests=False)
    job = Job(store=store, work=work, items=[store[id].folder.name for id in only], retry_failed=retry_failed)
    if not only:
        failed = {failure.recording for failure in job.failed()} if retry_failed else None
        job = replace(job, items=[id for id in store if failed is None or id in failed])
    return _able(job.part(shard))


def _able(job: Job) -> Job:
    """The job, if what its models run on is installed, so that it is not found out recording by recording.

    Raises:
        UsageError: an extra is missing, and a model that needs it is to be run.
    """
    for step in (step for step in job.work.steps if step.backends):
        try:
            check_installed(job.work.params[step.name].model)
        except UsageError:
            if step.name in job.due():
                raise
    return job


def failed_steps(store: Path | str) -> list[str]:
    """The steps whose failures stand in a store; to retry all that failed is to make these as well.

    Raises:
        UsageError: there is no such store.
    """
    failures = read_failures(Store(store).root)
    return sorted({name for failure in failures for name in failure.step.split("+")} & set(STEPS))


def _work(store: Store, names: Sequence[str], params: Any) -> Work:
    """Work with every 'auto' settled: what it means is written into the store, so that later runs mean the same."""
    work, chosen = work_on(store.uri, names, params, store.settings)
    store.choose_models(chosen)
    return work
