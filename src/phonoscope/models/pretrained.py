"""Models as transformers keeps them: a folder with a config and weights, on this machine or on a hub.

Such a model is named by its folder, or as the hub names it: `org/name`, or `org/name@revision`. A folder is known by
what it holds, wherever it lies; a model of a hub by its commit. What a hub has once given is not asked for again.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from phonoscope.core.errors import MissingWeights, UsageError
from phonoscope.models.cards import Card
from phonoscope.models.extras import need
from phonoscope.models.hashes import sha256_of

KINDS = ("hubert", "wav2vec2", "wavlm", "whisper")  # `model_type` in the config
SCALING = ("preprocessor_config.json", "processor_config.json")  # how sound is scaled before the network hears it
SMALL = ("config.json", *SCALING, "README.md")
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")  # in order of preference
INDEX = ".index.json"  # ends the name of the file that says which weights lie in which part


def card_of(name: str) -> Card:
    """The card of a model in a folder or on a hub; of the latter only the config is fetched, if it is not here.

    Raises:
        UsageError: there is no such model, or it is none that transformers reads and we know.
        MissingWeights: the hub does not answer.
    """
    need("this model", "torch", "transformers", extra="ssl")
    folder, commit = _look(name)
    kind, licence = kind_in(folder), _licence(folder)
    files = weights_in(folder)
    if not commit and not files:
        raise UsageError(f"'{folder}' holds no weights: model.safetensors or pytorch_model.bin is missing")
    source = f"hub:{name.partition('@')[0]}@{commit}" if commit else f"folder:{folder}"
    return Card(
        name=name.partition("@")[0] if commit else folder.resolve().name,
        version=commit or kind,
        sources=(source,),
        sha256="" if commit else _digest([*_present(folder, ("config.json", *SCALING)), *files]),
        licence=licence,
        cite="as its authors ask",
        input="16 kHz mono sound",
        rate="50 rows a second",
        size=sum(path.stat().st_size for path in files),
    )


def is_one(card: Card) -> bool:
    """Whether a card is of a model in a folder or on a hub."""
    return any(source.startswith(("folder:", "hub:")) for source in card.sources)


def here(card: Card) -> str | None:
    """Where the model of such a card lies on this machine, as "folder PATH" or "hub PATH"; None if it does not."""
    place, _, path = card.sources[0].partition(":")
    if place == "folder":
        return f"folder {path}"
    folder = next((found for pattern in WEIGHTS if (found := _cached(path, (pattern,)))), None)
    return folder and f"hub {folder}"


def fetched(card: Card, say: Callable[[str], object]) -> Path:
    """The folder of the model of such a card, with its weights; they are fetched from the hub if they are not here.

    Raises:
        MissingWeights: the hub does not give them.
    """
    if place := here(card):
        return Path(place.partition(" ")[2])
    _, _, name = card.sources[0].partition(":")
    for pattern in WEIGHTS:
        if files := _ask(name, (pattern, pattern + INDEX), look_only=True):
            about = f"{card.licence}, about {sum(file.file_size for file in files) / 1e6:.1f} MB"
            say(f"fetching the weights of {card.name} {card.version} from the hub ({about})")
            return Path(_ask(name, (*SMALL, pattern, pattern + INDEX)))
    raise MissingWeights(f"'{card.name}' has neither model.safetensors nor pytorch_model.bin on the hub")


def kind_in(folder: Path) -> str:
    """What kind of model a folder holds, as its config says.

    Raises:
        UsageError: it has no config, or is of a kind that we do not know.
    """
    try:
        config = msgspec.json.decode((folder / "config.json").read_bytes())
        kind = config["model_type"]
    except FileNotFoundError:
        raise UsageError(f"'{folder}' is no model: it has no config.json; give what save_pretrained wrote") from None
    except (msgspec.DecodeError, KeyError, TypeError):
        raise UsageError(f"'{folder}/config.json' is damaged, or does not say which model_type it is") from None
    if kind not in KINDS:
        raise UsageError(f"'{folder}' holds a '{kind}' model; speech is heard by {', '.join(KINDS)}")
    if not _present(folder, SCALING):
        raise UsageError(f"'{folder}' does not say how sound is scaled: {SCALING[0]} is missing")
    return kind


def weights_in(folder: Path) -> list[Path]:
    """The files of weights that would be read, by name."""
    return next((files for pattern in WEIGHTS if (files := sorted(folder.glob(pattern)))), [])


def _look(name: str) -> tuple[Path, str]:
    """Where a model's config lies, and its commit if the model is a hub's."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder, ""
    if not re.fullmatch(r"[\w-][\w.-]*/[\w.-]+(@[\w./-]+)?", name):
        raise UsageError(f"there is no folder '{name}', and a hub's models are named org/name")
    found = _cached(name, ("config.json",)) or Path(_ask(name, SMALL))
    return found, found.name


def _cached(name: str, patterns: tuple[str, ...]) -> Path | None:
    """The folder of a hub's model if files of this pattern, and all of them, are here."""
    try:
        folder = Path(_ask(name, patterns, here_only=True))
    except MissingWeights:
        return None
    return folder if any(next(folder.glob(pattern), None) for pattern in patterns) else None


def _ask(name: str, patterns: tuple[str, ...], *, here_only: bool = False, look_only: bool = False) -> Any:
    """The folder with these files of a hub's model, fetched if need be; or, only to look, what would be fetched."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage] - of its own client

    repo, _, revision = name.partition("@")
    ask: Callable[..., Any] = snapshot_download
    what = {"revision": revision or None, "allow_patterns": [*patterns]}
    try:
        with _no_bars():
            return ask(repo, **what, local_files_only=here_only, dry_run=look_only)
    except (OSError, ValueError, HTTPError) as error:  # the hub's own errors are OSErrors
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise MissingWeights(
            f"there is no folder '{name}', and the hub gives no such model ({reason}): give a folder that holds it, "
            "or try again where there is a network"
        ) from None


@contextmanager
def _no_bars() -> Iterator[None]:
    """What is fetched is said in one line."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()


def _present(folder: Path, names: tuple[str, ...]) -> list[Path]:
    return [folder / name for name in names if (folder / name).is_file()]


def _digest(files: list[Path]) -> str:
    """One sha256 of several files, of their names and contents."""
    return hashlib.sha256("".join(f"{file.name} {sha256_of(file)}\n" for file in files).encode()).hexdigest()


def _licence(folder: Path) -> str:
    """What the front matter of the model's own card says."""
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
    front = re.match(r"---\s*\n(.*?)\n---\s*$", text, re.DOTALL | re.MULTILINE)
    said = re.search(r"^license:[ \t]*(\S.*)$", front[1], re.MULTILINE) if front else None
    return said[1].strip(" '\"") if said else "as stated by its authors"
