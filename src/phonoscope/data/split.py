"""Which set a speaker's recordings belong to: training, validation or test, never two of them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

from phonoscope.core.errors import UsageError

TRAINING, VALIDATION, TEST = "training", "validation", "test"
SETS: tuple[str, ...] = (TRAINING, VALIDATION, TEST)
SHARES: Mapping[str, float] = {TRAINING: 0.7, VALIDATION: 0.15, TEST: 0.15}
BEGINNINGS = {"val": VALIDATION, "dev": VALIDATION, "test": TEST, "eval": TEST}


def split_of(speaker: str, shares: Mapping[str, float] = SHARES, seed: int = 0) -> str:
    """The set that a speaker falls into, which depends on nothing but the name, the seed and the shares.

    So adding recordings, of known or of new speakers, moves nobody; and of many speakers about the asked share falls
    into each set. Shares are weights: they need not sum to one.

    Raises:
        UsageError: a share is below 0, or none is above.
    """
    total = sum(shares.values())
    if min(shares.values(), default=0) < 0 or not total > 0:
        raise UsageError(f"shares of sets are 0 or more, and one of them more, got {dict(shares)}")
    digest = hashlib.sha256(f"{seed}\0{speaker}".encode("utf-8", "surrogateescape")).digest()
    place = int.from_bytes(digest[:8]) / 2**64 * total
    open_sets = [name for name, share in shares.items() if share > 0]
    for name in open_sets:
        place -= shares[name]
        if place < 0:
            return name
    return open_sets[-1]


def set_named(name: str) -> str:
    """What a corpus calls a set, as we call it: train is training, valid or dev is validation; others stay."""
    folded = name.strip().casefold()
    if "train" in folded:
        return TRAINING
    return next((ours for begins, ours in BEGINNINGS.items() if folded.startswith(begins)), name.strip())


def check_disjoint(members: Iterable[tuple[str, str]], what: str = "speaker") -> None:
    """Nothing, if each of the (name, set) is in one set only.

    Raises:
        UsageError: one is in two.
    """
    sets: dict[str, set[str]] = defaultdict(set)
    for name, split in members:
        sets[name].add(split)
    torn = sorted(name for name, its in sets.items() if len(its) > 1)
    if torn:
        where = " and ".join(sorted(sets[torn[0]]))
        more = f", and {len(torn) - 1} more {what}s are in several sets" if torn[1:] else ""
        raise UsageError(f"{what} '{torn[0]}' is in {where}{more}: keep all that is of one {what} in one set")
