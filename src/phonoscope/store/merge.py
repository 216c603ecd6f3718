"""What two machines have made of one recording at once, as one: artifact by artifact, files and receipt together."""

from collections.abc import Mapping

from phonoscope.store.receipts import FOLDERS, Receipt

Files = dict[str, tuple[str, int]]
"""What a recording has: path within its folder -> sha256 and bytes; an empty folder ends in a slash."""

Receipts = Mapping[str, Receipt]
ARTIFACTS = {folder: name for name, folder in FOLDERS.items()}  # where the folder has another name


def merge(
    base: tuple[Files, Receipts], ours: tuple[Files, Receipts], theirs: tuple[Files, Receipts]
) -> tuple[Files, dict[str, Receipt]]:
    """Files and receipts with what either has changed since `base`; what both have changed is as theirs.

    Theirs is in the bucket already. If it was made by our recipe it is ours as well, else ours will be found stale.
    """
    parts = {part_of(name) for files, _ in (base, ours, theirs) for name in files}
    parts |= {name for _, receipts in (base, ours, theirs) for name in receipts}
    files, receipts = {}, {}
    for part in parts:
        chosen = theirs if _of(part, theirs) != _of(part, base) else ours
        its, receipt = _of(part, chosen)
        files |= its
        if receipt:
            receipts[part] = receipt
    return dict(sorted(files.items())), dict(sorted(receipts.items()))


def part_of(name: str) -> str:
    """The artifact that a file belongs to; of what is none, what belongs together."""
    folder, slash, file = name.rpartition("/")
    return ARTIFACTS.get(folder, folder) if slash else file.partition(".")[0]


def _of(part: str, side: tuple[Files, Receipts]) -> tuple[Files, Receipt | None]:
    files, receipts = side
    return {name: about for name, about in files.items() if part_of(name) == part}, receipts.get(part)
