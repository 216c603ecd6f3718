"""`phonoscope fetch`: the films of a list, from the web."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import msgspec
from tyro.conf import Positional, arg

from phonoscope.cli.bar import bytes_bars
from phonoscope.cli.options import parse
from phonoscope.core.checks import folder_here
from phonoscope.core.errors import UsageError
from phonoscope.corpora.fetched import came
from phonoscope.data.fetch import job as api
from phonoscope.data.fetch.due import host_of
from phonoscope.data.fetch.lists import KINDS, films_of
from phonoscope.data.fetch.params import FetchParams
from phonoscope.data.fetch.polite import Manners
from phonoscope.data.fetch.site import SiteParams, need_yt_dlp
from phonoscope.flow.shard import Shard
from phonoscope.report.wording import count

LABELS = "ava-labels"


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """Fetch the films of a list from the web, politely; what came before is kept, the rest goes on.

    phonoscope fetch list urls.txt --to films                  a URL a line
    phonoscope fetch list clips.csv --map url=link name=id --to films
    phonoscope fetch avspeech avspeech_train.csv --first 0 --last 20 --to clips
    phonoscope fetch hdtf HDTF_dataset --to hdtf --crop
    phonoscope fetch ava ava_speech_file_names_v1.csv --to trainval
    phonoscope fetch ava-labels --to labels                    its annotations: labels/training, labels/validation
    phonoscope fetch list urls.txt --to films --retry "type == 'rate-limited'"

    Where a list tells of spans, these are cut out, exact to the frame. A host that wants us to stop is left in peace,
    longer each time. Each film's site, title, licence and sha256 stand in fetched.jsonl, failures in errors.jsonl.
    You need the right to use what you fetch.
    """

    kind: Positional[str]  # list, avspeech, hdtf, voxceleb2, ava or ava-labels
    lists: Positional[tuple[str, ...]] = ()  # files, or the folder that the kind has its lists in
    to: Path  # a new folder, or one that was fetched into
    map: tuple[str, ...] = ()  # of `list`: which column tells what: url=link name=id start=begin stop=end …
    first: int = 0  # row of the list to begin with, counted from 0
    last: int | None = None  # and the row to end before
    annotations: Path | None = None  # of `ava`: only videos that these tables tell of
    site: Annotated[SiteParams, arg(name="")] = SiteParams()  # noqa: RUF009 - frozen
    manners: Annotated[Manners, arg(name="")] = Manners()  # noqa: RUF009 - frozen
    whole: bool = False  # keep the whole film, too, where pieces are cut out of it
    fps: Fraction | None = None  # frames a second of pieces; native: the film's own
    crop: bool = False  # pieces show the window that the list tells, as HDTF's does
    retry: str = ""  # try only what failed and fulfils this: type, host, name and message may be asked
    shard: str | None = None  # i/n, as in 2/8: only this part of the list
    dry_run: bool = False  # say what would be fetched, and fetch nothing
    json: bool = False  # a line of JSON a film, for programs


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if a film failed or waits."""
    options, _ = parse(Fetch, arguments, with_params=False)
    if options.kind == LABELS:
        return _labels(options)
    if options.kind not in KINDS:
        raise UsageError(f"no list of kind '{options.kind}'; there are {', '.join((*KINDS, LABELS))}")
    lists = [Path(it) for it in options.lists]
    films = films_of(options.kind, lists, options.map, options.annotations, options.first, options.last)
    if options.shard:
        shard = Shard.parse(options.shard)
        films = [it for it in films if it.url in shard]
    api.check(options.to)
    if options.dry_run:
        return _foretell(films, options.to)
    need_yt_dlp()
    p = FetchParams(
        site=options.site, manners=options.manners, whole=options.whole, fps=options.fps, crop=options.crop,
        retry=options.retry,
    )  # fmt: skip
    states: Counter[str] = Counter()
    with bytes_bars() as on_bytes:
        for told in api.fetch(films, options.to, p, on_bytes):
            states[told.type or told.state] += 1
            if options.json:
                print(msgspec.json.encode(told).decode(), flush=True)
            elif told.state not in ("kept", "waiting") or told.message:
                print(_line(told), flush=True)
    if not options.json:
        print(f"{count(len(films), 'film')}: " + ", ".join(f"{n} {state}" for state, n in states.most_common()))
    return int(any(states[it] for it in states if it not in ("fetched", "kept")))


def _labels(options: Fetch) -> int:
    from phonoscope.data.fetch.archives import ARCHIVES, labels

    folder_here("--to", options.to)
    if options.dry_run:
        print("\n".join(options.lists or ARCHIVES))
        return 0
    with bytes_bars() as on_bytes:
        made = labels(options.to, options.lists, tell=on_bytes)
    for split, tables in made.items():
        print(f"{options.to / split}: {count(tables, 'table')}")
    return 0


def _line(told: api.Told) -> str:
    if told.state == "fetched":
        return f"{told.name}: {', '.join(told.files)}"
    return f"{told.state:7} {told.name}: {told.type + ': ' if told.type else ''}{told.message}"


def _foretell(films: Sequence, to: Path) -> int:
    pieces = sum(len(it.pieces) for it in films)
    seconds = sum(it.stop_s - it.start_s for film in films for it in film.pieces)
    hosts = Counter(host_of(it.url) for it in films)
    there = came(to)
    print(f"{count(len(films), 'film')}, {len([it for it in films if it.url in there])} of them here before")
    if pieces:
        print(f"{count(pieces, 'piece')}, {seconds / 60:.1f} minutes")
    for host, number in hosts.most_common():
        print(f"  {host}: {number}")
    return 0
