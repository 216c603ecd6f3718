"""The main job in Python: films in, a prepared store out."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.media import Rights
from phonoscope.corpora.folder import sources
from phonoscope.corpora.labelled import labelled_films, read_labels
from phonoscope.corpora.listing import films_of, remembered, to_retry
from phonoscope.flow.ingest import GIVEN
from phonoscope.flow.job import Job
from phonoscope.flow.plan import plan
from phonoscope.flow.run import Work
from phonoscope.flow.shard import Shard
from phonoscope.flow.step import Step, steps_in
from phonoscope.models.rates import by_rate, depends_on_film, within_reach
from phonoscope.models.registry import card_of, check_installed, choose, load, policy_of, sees_depth, spec
from phonoscope.steps import (
    asd,
    crop_video,
    crops,
    embeddings,
    face_crops,
    faces,
    fbank,
    hands,
    landmarks,
    mesh,
    mfcc,
    motion,
    mouth,
    people,
    pose,
    quality,
    shots,
    speech,
    stft,
    thumbs,
    tracks,
    vad,
    visemes,
)
from phonoscope.store.folder import NATIVE, Store, StoreSettings, must_be_empty
from phonoscope.store.ledger import known_sources, read_failures

STEPS: Mapping[str, Step] = steps_in(
    shots, faces, tracks, crops, mfcc, vad, asd, thumbs, crop_video,
    landmarks, mesh, pose, motion, mouth, quality, hands, speech, fbank, stft, face_crops,
    embeddings, people, visemes,
)  # fmt: skip
NEED_DEPTH = {"mesh": "mesh", "pose": "landmarks", "motion": "landmarks"}  # and whose landmarker must see it
BESIDE = ("train", "language")  # sections that are not of steps: `phonoscope train` reads the first; docs/train.md
DEFAULT = ("shots", "faces", "tracks", "crops", "mfcc", "vad", "asd", "thumbs")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockParams:
    """The time that a store keeps."""

    fps: Fraction | None = Fraction(25)  # frames a second, any fraction such as 30000/1001; native: as filmed
    sample_rate: int = 16000  # Hz, of the sound

    def __post_init__(self) -> None:
        if self.fps is not None and self.fps <= 0:
            raise UsageError(f"clock.fps must be above 0, got {self.fps}")
        if self.fps is not None and self.fps.denominator > 10**6:
            meant = self.fps.limit_denominator(1001)
            raise UsageError(f"clock.fps {float(self.fps)} has lost its fraction: write {meant}")
        within("clock.sample_rate", self.sample_rate, 1, 655350)  # what FLAC can hold


def _all_params() -> type:
    kinds = [(name, step.params, field(default_factory=step.params)) for name, step in STEPS.items() if step.params]
    clock = ("clock", ClockParams, field(default_factory=ClockParams))
    made = make_dataclass("Params", [clock, *kinds], frozen=True, kw_only=True)
    made.__module__ = __name__
    made.__doc__ = "The settings of every step, under the step's name."
    return made


Params = _all_params()


def params_from(values: Mapping[str, Any]) -> Any:
    """Params from plain values, as a TOML file holds them: `{"tracks": {"min_len": 5}}`; `min-len` will do as well.

    Raises:
        UsageError: a name is unknown, or a value is of the wrong type.
    """
    made = Params()
    for section, settings in values.items():
        if section in BESIDE:
            continue
        kinds = {name: type(getattr(made, name)) for name in made.__dataclass_fields__}
        kind = kinds[known(section, kinds, "section")]
        if not isinstance(settings, Mapping):
            raise UsageError(f"'{section}' must be a table of settings, got {settings!r}")
        named = {known(key, kind.__dataclass_fields__, f"setting of [{section}]"): v for key, v in settings.items()}
        if kind is ClockParams and named.get("fps") == NATIVE:
            named["fps"] = None
        try:
            part = msgspec.convert(named, kind, dec_hook=_fraction)
        except (msgspec.ValidationError, ValueError) as error:
            raise UsageError(f"[{section}] {error}") from None
        made = replace(made, **{section.replace("-", "_"): part})
    return made


def known(name: str, among: Iterable[str], what: str) -> str:
    """A name, `-` and `_` being alike, that is among those.

    Raises:
        UsageError: it is not; it says which one is near.
    """
    name = name.replace("-", "_")
    if name not in among:
        near = get_close_matches(name, list(among), n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(among)}"
        raise UsageError(f"no {what} '{name}'; {hint}")
    return name


def _fraction(kind: type, value: Any) -> Any:
    if kind is Fraction and isinstance(value, (int, str)):
        return fraction(value)
    raise ValueError(f"{value!r} is not a {kind.__name__}; write a fraction as '30000/1001'")


def fraction(written: int | str) -> Fraction:
    """25 or "30000/1001" as a number.

    Raises:
        UsageError: it is none.
    """
    try:
        return Fraction(written)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"'{written}' is no fraction; write 25 or 30000/1001") from None


def rate(written: int | str) -> Fraction | None:
    """Frames a second: a fraction, or None for "native", which is each film's own.

    Raises:
        UsageError: it is neither.
    """
    return None if written == NATIVE else fraction(written)


def open_store(to: Path | str, clock: ClockParams) -> Store | None:
    """The store at `to`, or None where one can be made; nothing is written.

    Raises:
        UsageError: what lies there is no store, or one that keeps another time.
    """
    root = Path(to)
    if (root / "store.json").exists():
        return Store.create(root, _settings(clock))
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
    work, chosen = work_on(store.root, names, params, store.settings)
    store.choose_models(chosen)
    return work


def work_on(
    root: Path, names: Sequence[str], params: Any, settings: StoreSettings, pick: Callable[[str, str], str] = choose
) -> tuple[Work, dict[str, str]]:
    """Work in a store with every 'auto' settled, and what it has come to mean; nothing is written.

    Raises:
        UsageError, MissingWeights: as `settle`.
    """
    steps, settled, chosen = settle(names, within_reach(params, settings.fps), settings.models, pick)
    work = Work(
        root=str(root), steps=tuple(steps), params=settled, load_backend=backend, card_of=identity,
        named=frozenset(names[len(DEFAULT) :] if tuple(names[: len(DEFAULT)]) == DEFAULT else names),
        suited=by_rate if depends_on_film(params, settings.fps) else None,
    )  # fmt: skip
    return work, chosen


def settle(
    names: Sequence[str], params: Any, chosen: Mapping[str, str], pick: Callable[[str, str], str] = choose
) -> tuple[list[Step], dict[str, Any], dict[str, str]]:
    """The steps that make `names`, their settings with every 'auto' settled, and what it has come to mean.

    Args:
        params: settings of every step, under the step's name.
        chosen: what it came to mean before.
        pick: gives the model to use for a kind of model and a name, which may be 'auto'.

    Raises:
        UsageError: there is no such model, or it is of another kind, or cannot give what a step needs.
        MissingWeights: the weights of none can be had.
    """
    every = {name: getattr(params, name) for name, step in STEPS.items() if step.params}
    every["asd"] = _at_its_crop(every["asd"], chosen)
    steps = plan(names, STEPS, frozenset(GIVEN), every)
    settled, chosen = {step.name: every[step.name] for step in steps if step.params}, dict(chosen)
    for name, maker in NEED_DEPTH.items():  # asked before anything is fetched; what 'auto' means sees depth
        if (
            name in {step.name for step in steps}
            and (model := settled[maker].model) != "auto"
            and not sees_depth(model)
        ):
            said = f"'{name}' needs a landmarker that sees depth, which '{model}' does not"
            raise UsageError(f"{said}: leave --{maker}.model away")
    for step in steps:
        if step.backend_kind:
            asked = settled[step.name].model
            weights = getattr(settled[step.name], "weights", "")
            meant = chosen.get(step.name, asked) if asked == "auto" and not weights else asked  # weights tell whose
            named = spec(step.backend_kind, meant, weights)
            model = pick(step.backend_kind, named)
            if asked == "auto" and not weights:
                chosen[step.name] = model
            settled[step.name] = replace(settled[step.name], model=model)
    if "asd" in settled:
        settled["asd"] = _at_its_crop(settled["asd"], chosen)
    if {"faces", "tracks"} <= settled.keys() and settled["faces"].every - 1 > settled["tracks"].max_gap:
        said = "faces.every %d leaves gaps longer than tracks.max_gap %d: tracks will fall apart"
        logging.getLogger("phonoscope").warning(said, settled["faces"].every, settled["tracks"].max_gap)
    return steps, settled, chosen


def _at_its_crop(p: asd.AsdParams, chosen: Mapping[str, str]) -> asd.AsdParams:
    """Settings of `asd` with the crop of the scorer that is meant: some crops are cut by landmarks, others not."""
    if p.policy != "auto":
        return p
    meant = chosen.get("asd", p.model) if p.model == "auto" and not p.weights else p.model
    model = meant if ":" in meant else spec("speaking_scorer", meant, p.weights)
    return p if model == "auto" else replace(p, policy=policy_of(model))


def backend(model: str, threads: int = 1) -> Any:
    """A model, ready to call, loaded once a process; anew if its file of weights has changed since."""
    return _loaded(model, identity(model), threads)


@cache
def _loaded(model: str, _identity: str, threads: int) -> Any:
    return load(model, threads=threads)


def identity(model: str) -> str:
    """Name, version and weights of a model, for keys and receipts."""
    return card_of(model).identity
