"""Cards: what a model is, where its weights lie, whose they are."""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.models.hashes import sha256_of


@dataclass(frozen=True, slots=True)
class Card:
    """A model's identity; its sha256 is part of the key of everything that the model makes."""

    name: str
    version: str
    sources: tuple[str, ...]  # URLs, or "wheel:<project>==<version>/<path inside>"; none if nothing is to be loaded
    sha256: str  # of the weights; "" if there are none
    licence: str
    cite: str
    input: str  # crop policy and feature recipe that it was made for
    rate: str  # rows a second that it gives, in words
    notes: str = ""  # what it was trained on, how good it is on people it has not seen
    size: int = 0  # bytes of the weights; 0 if unknown
    download_size: int = 0  # bytes to be fetched for them, where that is a whole wheel; 0: as many as the weights

    @property
    def identity(self) -> str:
        """Name, version and weights, as one string for keys and receipts."""
        return f"{self.name}@{self.version}" + (f":{self.sha256[:12]}" if self.sha256 else "")


KEY = "phonoscope"  # in a .safetensors file's metadata: what the weights are, as a JSON object
TOLD = ("version", "licence", "cite", "input", "rate", "notes")  # fields that a file of weights may tell of itself


def card_of_file(path: Path, like: Card) -> Card:
    """The card of weights that somebody has trained: what their file says of itself, and `like` where it is silent.

    A `.safetensors` file may hold, in its metadata under "phonoscope", a JSON object with fields of a card; its name
    and its hash are not the file's to tell.

    Raises:
        UsageError: that is no such object, or a field of it is no text.
    """
    about = about_file(path)
    told = {name: about[name] for name in TOLD if name in about}
    if odd := [name for name, value in told.items() if not isinstance(value, str)]:
        raise UsageError(f"'{path}' says that its {odd[0]} is {about[odd[0]]!r}, where text belongs")
    silent = {
        "version": "own",
        "licence": "as its owner says",
        "cite": "",
        "notes": "trained by somebody who told nothing",
    }
    return replace(
        like, **silent | told, sources=(f"file:{path.resolve()}",), sha256=sha256_of(path), size=path.stat().st_size,
        download_size=0,
    )  # fmt: skip


def about_file(path: Path) -> dict[str, object]:
    """What a file of weights says of itself: network, policy, licence …; nothing, unless it is `.safetensors` of ours.

    Raises:
        UsageError: it cannot be read, or what it says is no object.
    """
    if path.suffix != ".safetensors":
        return {}
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            told = (file.metadata() or {}).get(KEY, "{}")
    except (SafetensorError, OSError) as error:
        raise UsageError(f"'{path}' cannot be read as .safetensors: {error}") from None
    try:
        return msgspec.json.decode(told, type=dict[str, object])
    except msgspec.DecodeError:
        raise UsageError(f"'{path}' says {told[:60]!r} of itself under '{KEY}', where a JSON object belongs") from None
