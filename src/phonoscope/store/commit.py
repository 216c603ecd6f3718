"""Work on a recording that lies in a bucket: what it makes is there afterwards, whole, whoever else is at work."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import msgspec

from phonoscope.core.errors import RecordingFailed
from phonoscope.store.driver import Conflict
from phonoscope.store.files import as_json
from phonoscope.store.merge import Files, merge
from phonoscope.store.mirror import AT_ONCE, COMMIT, EMPTY, Mirror, Seen
from phonoscope.store.receipts import FILE as RECEIPTS
from phonoscope.store.receipts import Receipt, read_receipts

TURNS = 60  # that other machines may be first

Receipts = dict[str, Receipt]


@contextmanager
def at_work(mirror: Mirror) -> Iterator[None]:
    """Change a recording in its mirror; what was made is in the bucket afterwards, also of work that failed half-way.

    The recording's lock must be held. What somebody who was killed has left here goes with it, unless another machine
    has changed the recording since.

    Raises:
        RecordingFailed: "storage": the bucket cannot be reached; what was made waits here for the next one.
    """
    base, rest = _begin(mirror)
    before = {} if rest else mirror.stamps()
    told = _receipts_in(mirror, base) if rest else read_receipts(mirror.folder)
    try:
        yield
    except Exception:
        try:
            _publish(mirror, base, before, told)
        except RecordingFailed as error:  # why the work failed tells more
            logging.getLogger("phonoscope").warning("%s", error)
        raise
    _publish(mirror, base, before, told)


def remove(mirror: Mirror) -> None:
    """Take a recording out of the bucket, with everything that anybody has ever left of it; its lock must be held."""
    where = f"recordings/{mirror.id}"
    mirror.bucket.delete(name for name in mirror.bucket.below(where) if name != f"{where}/{COMMIT}")
    mirror.bucket.delete([f"{where}/{COMMIT}"])  # last: who is killed before it finds what is left to be done
    mirror.bucket.delete(mirror.bucket.below(where))  # of whoever was at work on it between the two
    with mirror.turn():
        mirror.take(Seen())
    mirror.changed.touch()


def _begin(mirror: Mirror) -> tuple[Seen, bool]:
    """What the bucket has, and whether the folder may have what it has not, of somebody who was killed."""
    now = mirror.now()
    with mirror.turn():
        rest = mirror.working.exists()
        if rest and now.tag != mirror.seen().tag:  # the bucket has moved on: it wins, the rest is made anew
            mirror.give_way(now)
            rest = False
        elif not rest:
            mirror.take(now)
        mirror.working.touch()
    mirror.fetch_small()
    return now, rest


def _publish(mirror: Mirror, base: Seen, before: Mapping[str, tuple[int, int, int]], told: Receipts) -> None:
    """Have in the bucket what is in the folder."""
    if base.files and not mirror.folder.exists():
        if mirror.seen().files:
            raise RecordingFailed("storage", f"somebody took {mirror.folder} away during the work; start again")
        mirror.working.unlink(missing_ok=True)  # it was removed, as was asked for
        return
    mine = _ours(mirror, before)
    wanted, theirs, made = mine, base, read_receipts(mirror.folder)
    dead: list[Files] = [base.files, mine]
    for _ in range(TURNS):
        if wanted == theirs.files:
            break
        _upload(mirror, wanted, mine, theirs)
        try:
            tag = mirror.bucket.put(f"recordings/{mirror.id}/{COMMIT}", as_json(wanted), theirs.tag)
            theirs = Seen(tag, wanted)
            mirror.changed.touch()
        except Conflict:
            theirs = mirror.now()
            if base.files and not theirs.files:
                remove(mirror)
                raise RecordingFailed("storage", f"{mirror.id} was removed by another machine meanwhile") from None
            wanted = _merged(mirror, (base.files, told), (mine, made), theirs)
            dead.append(theirs.files)
    else:
        raise RecordingFailed(
            "storage", f"{mirror.id}: other machines were first {TURNS} times; the same again goes on"
        )
    with mirror.turn():
        for name in [*mirror.stamps()]:
            if mine.get(name) != wanted.get(name):
                mirror.drop(name)
        mirror.note(theirs)
        mirror.working.unlink(missing_ok=True)
    mirror.fetch_small()
    _sweep(mirror, dead, wanted)


def _ours(mirror: Mirror, before: Mapping[str, tuple[int, int, int]]) -> Files:
    """What the recording has by our work: the bucket's files, without those that went, with those that came.

    What was not fetched is not here and yet stands; of a folder that was made anew, what is not in it now is gone.
    """
    now, known = mirror.stamps(), mirror.seen().files
    files = {name: about for name, about in known.items() if name not in before or name in now}
    anew = set()
    for name in (name for name, stamp in now.items() if before.get(name) != stamp):
        files[name] = mirror.about(name)
        anew.add(name.rpartition("/")[0])
    kept = {name: it for name, it in files.items() if name in now or name.rpartition("/")[0] not in anew - {""}}
    return dict(sorted(kept.items()))


def _upload(mirror: Mirror, wanted: Files, mine: Files, theirs: Seen) -> None:
    """Have every object there that is to be named and is not named yet."""
    new = [
        it for it in wanted.items() if it[1] != EMPTY and theirs.files.get(it[0]) != it[1] and mine.get(it[0]) == it[1]
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda it: mirror.bucket.upload(mirror.object_of(*it), mirror.folder / it[0]), new))


def _merged(mirror: Mirror, base: tuple[Files, Receipts], ours: tuple[Files, Receipts], theirs: Seen) -> Files:
    """Both machines' work as one; the receipts of both are in the bucket already."""
    files, receipts = merge(_bare(base), _bare(ours), _bare((theirs.files, _receipts_in(mirror, theirs))))
    content = as_json(receipts)
    about = (hashlib.sha256(content).hexdigest(), len(content))
    if receipts and theirs.files.get(RECEIPTS) != about:
        mirror.bucket.put(mirror.object_of(RECEIPTS, about), content)
    return dict(sorted({**files, **({RECEIPTS: about} if receipts else {})}.items()))


def _bare(side: tuple[Files, Receipts]) -> tuple[Files, Receipts]:
    return {name: about for name, about in side[0].items() if name != RECEIPTS}, side[1]


def _receipts_in(mirror: Mirror, seen: Seen) -> Receipts:
    """The receipts that `files.json` named at some time."""
    about = seen.files.get(RECEIPTS)
    found = mirror.bucket.get(mirror.object_of(RECEIPTS, about)) if about else None
    return msgspec.json.decode(found[0], type=Receipts) if found else {}


def _sweep(mirror: Mirror, dead: Iterable[Files], wanted: Files) -> None:
    """Remove the objects that nobody names any more; one that stays costs bytes and does no harm."""
    named = {mirror.object_of(*it) for it in wanted.items()}
    old = {mirror.object_of(*it) for files in dead for it in files.items() if it[1] != EMPTY} - named
    try:
        mirror.bucket.delete(old)
    except RecordingFailed as error:
        logging.getLogger("phonoscope").warning("%s", error)
