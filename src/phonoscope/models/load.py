"""Models by name: which there are, where their weights are found, and how one is loaded.

Weights are looked for in the cache ($PHONOSCOPE_HOME/weights), then in a mirror folder ($PHONOSCOPE_MODELS), then at
the sources that the model's card names; whatever is found is used only if its sha256 is the card's. A speech encoder
may also be named by the folder that holds it or by its name on a hub, `org/name`; it is run on $PHONOSCOPE_DEVICE.
"""

import contextlib
import difflib
import importlib
import importlib.metadata
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from phonoscope.core.errors import MissingWeights, UsageError
from phonoscope.models import pretrained
from phonoscope.models.cards import Card
from phonoscope.models.fetch import FetchError, installed, opened
from phonoscope.models.hashes import sha256_of

Say = Callable[[str], object]

OURS = {
    "yunet": "phonoscope.models.backends.yunet:YuNet",
    "blazeface": "phonoscope.models.backends.blazeface:BlazeFace",
    "silero": "phonoscope.models.backends.silero:Silero",
    "motion": "phonoscope.models.backends.motion:Motion",
    "facemesh": "phonoscope.models.backends.facemesh:FaceMesh",
    "dlib68": "phonoscope.models.backends.dlib68:Dlib68",
    "palm": "phonoscope.models.backends.palm:Palm",
}
PREFERRED = {
    "face_detector": ("yunet", "blazeface"),
    "voice_detector": ("silero",),
    "speaking_scorer": ("motion",),
    "face_landmarker": ("facemesh",),
    "hand_detector": ("palm",),
}
IN_FOLDERS = "phonoscope.models.backends.hidden_states:HiddenStates"  # runs what is named by a folder or a hub's name
GROUP = "phonoscope.backends"  # entry points of others, of the same shape as OURS

# A warning is shown even where nobody has set up logging, so nothing is ever fetched in silence.
_say: Say = logging.getLogger("phonoscope").warning


def names(kind: str | None = None) -> tuple[str, ...]:
    """The models that can be asked for: ours, then those of other packages; of one kind if you name it."""
    every = (*OURS, *(entry.name for entry in _others() if entry.name not in OURS))
    return tuple(name for name in every if kind is None or _class(name).backend_kind == kind)


def card_of(name: str) -> Card:
    """The card of a model.

    Raises:
        UsageError: there is no such model.
        MissingWeights: it is named as on a hub, and the hub does not answer.
    """
    return pretrained.card_of(name) if _in_folder(name) else _class(name).card


def sees_depth(name: str) -> bool:
    """Whether a landmarker gives a mesh and the rotation of the head.

    Raises:
        UsageError: there is no such model.
    """
    return _class(name).depth


def load(name: str, *, weights: Path | None = None, threads: int = 1) -> Any:
    """A model, ready to call.

    Args:
        weights: the file to load, if not the one that `weights(card)` finds.
        threads: fixed, because results may depend on it in their last bits.

    Raises:
        UsageError: there is no such model, or `weights` is not the file that its card names.
        MissingWeights: they could not be had.
    """
    backend = _class(name)
    if _in_folder(name):
        card = pretrained.card_of(name)
        device = os.environ.get("PHONOSCOPE_DEVICE", "cpu")
        return backend(pretrained.fetched(card, _say), card, threads=threads, device=device)
    card = backend.card
    if not card.sha256:
        return backend()
    if weights is None:
        return backend(_resolve(card, _say), threads=threads)
    if (found := sha256_of(weights)) != card.sha256:
        raise UsageError(f"{weights} has sha256 {found}, but the weights of '{name}' have {card.sha256}")
    return backend(weights, threads=threads)


def choose(kind: str, name: str = "auto", *, say: Say = _say) -> str:
    """The name of the model to use: 'auto' gives the preferred one of its kind whose weights can be had.

    Args:
        say: is told in one line why a preferred model was passed over.

    Raises:
        UsageError: there is no such model, or it is of another kind.
        MissingWeights: 'auto', and the weights of none can be had.
    """
    if name != "auto" and (name or kind in PREFERRED):
        if (is_a := _class(name).backend_kind) != kind:
            raise UsageError(f"'{name}' is a {is_a}; as a {kind} there are {', '.join(names(kind)) or 'none'}")
        if _in_folder(name):
            pretrained.card_of(name)  # before any film is touched: is it there, and of a kind that we know?
        return name
    if kind == _class_at(IN_FOLDERS).backend_kind:
        raise UsageError("no model is named for speech: give --speech.model FOLDER, or org/name as a hub names it")
    if kind not in PREFERRED:
        raise UsageError(f"no model is preferred as a {kind}; name one of {', '.join(names(kind)) or 'none'}")
    missing: list[str] = []
    for candidate in PREFERRED[kind]:
        card = card_of(candidate)
        try:
            if card.sha256:
                _resolve(card, say)
        except MissingWeights as error:
            missing.append(str(error))
        else:
            if missing:
                say(f"using {candidate} as {kind}: {'; '.join(missing)}")
            return candidate
    raise MissingWeights("; ".join(missing))


def weights(card: Card, *, say: Say = _say) -> Path:
    """The file of a model's weights, checked; fetched into the cache if it lies nowhere here.

    Args:
        say: is told in one line, before anything is fetched: what, from where, under which licence, how large.

    Raises:
        UsageError: the model has no weights.
        MissingWeights: no place has them; the message says what was tried and what to do.
    """
    if pretrained.is_one(card):
        return pretrained.fetched(card, say)
    if not card.sha256:
        raise UsageError(f"'{card.name}' has no weights")
    return _resolve(card, say)


def where(card: Card) -> str | None:
    """From where weights would be loaded without fetching anything, as "cache PATH", "mirror PATH" or "package PATH".

    None if they would have to be fetched; "none needed" for a model without weights.
    """
    if pretrained.is_one(card):
        return pretrained.here(card)
    if not card.sha256:
        return "none needed"
    return next((f"{place} {path}" for place, _, path in _here(card) if path is not None), None)


def cached(card: Card) -> Path:
    """Where a model's weights lie, or would lie, in the cache."""
    source = card.sources[0] if card.sources else ""
    return home() / "weights" / f"{card.name}-{card.sha256[:12]}{PurePosixPath(source).suffix}"


def home() -> Path:
    """The folder of what can be fetched again: $PHONOSCOPE_HOME, or the platform's folder for caches."""
    if given := os.environ.get("PHONOSCOPE_HOME"):
        return Path(given).expanduser()
    if Path(given := os.environ.get("XDG_CACHE_HOME", "")).is_absolute():
        return Path(given) / "phonoscope"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "phonoscope"


def _resolve(card: Card, say: Say) -> Path:
    tried: list[str] = []
    for place, folder, path in _here(card):
        if path is not None:
            return path
        spoilt = " (what lies there has another sha256)" if place == "cache" and cached(card).exists() else ""
        tried.append(f"not in the {place} {folder}{spoilt}")
    if not os.environ.get("PHONOSCOPE_MODELS"):
        tried.append("no mirror folder is set")
    for source in card.sources:
        size = card.download_size or card.size
        about = f"about {size / 1e6:.1f} MB" if size else "size unknown"
        say(f"fetching the weights of {card.name} {card.version} from {source} ({card.licence}, {about})")
        try:
            with opened(source) as file:
                return _keep(file, card, say)
        except (FetchError, OSError) as error:  # OSError: the cache cannot be written, or the disk is full
            tried.append(f"{source}: {error}")
    raise MissingWeights(
        f"no weights for '{card.name}': {'; '.join(tried)}. Put the file with sha256 {card.sha256} into a folder "
        f"named by PHONOSCOPE_MODELS, or try `phonoscope models pull {card.name}`"
    )


def _here(card: Card) -> Iterator[tuple[str, Path, Path | None]]:
    """Places of this machine where the weights may lie: kind, folder, and the file with the right sha256 or None."""
    path = cached(card)
    yield "cache", path.parent, path if path.is_file() and sha256_of(path) == card.sha256 else None
    if given := os.environ.get("PHONOSCOPE_MODELS"):
        mirror = Path(given).expanduser()
        yield "mirror", mirror, _mirrored(mirror, card)
    for source in card.sources:
        if path := installed(source):
            yield "package", path.parent, path if sha256_of(path) == card.sha256 else None


def _mirrored(folder: Path, card: Card) -> Path | None:
    """The file below a folder whose sha256 is the card's, whatever its name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    likely = (path for path in files if not card.size or path.stat().st_size == card.size)
    return next((path for path in likely if sha256_of(path) == card.sha256), None)


def _keep(file: IO[bytes], card: Card, say: Say) -> Path:
    """Write fetched weights into the cache; several processes may do so at once, each sees a whole file or none."""
    path = cached(card)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.part-", delete=False) as part:
        try:
            shutil.copyfileobj(file, part)
            part.flush()
            os.fsync(part.fileno())
            if (found := sha256_of(Path(part.name))) != card.sha256:
                raise FetchError(f"gave a file with sha256 {found}")
            Path(part.name).chmod(0o644)  # a temporary file is private, a cache may be shared
            _set_aside(path, card, say)
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
    return path


def _set_aside(path: Path, card: Card, say: Say) -> None:
    """Rename a file that lies where the weights belong and is not them, so that nothing is lost unseen."""
    if path.is_file() and (wrong := sha256_of(path)) != card.sha256:
        aside = path.with_name(f"{path.name}.wrong-{wrong[:12]}")
        say(f"{path} has sha256 {wrong}, its card says {card.sha256}: set aside as {aside.name}")
        with contextlib.suppress(FileNotFoundError):  # another process was first
            path.rename(aside)


def _others() -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points(group=GROUP)


def _class(name: str) -> Any:
    """The class that a name stands for; its module is imported only now."""
    if _in_folder(name):
        return _class_at(IN_FOLDERS)
    targets = OURS if name in OURS else OURS | {entry.name: entry.value for entry in _others()}
    if name not in targets:
        near = difflib.get_close_matches(name, targets, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(targets)}, or give a model's folder"
        raise UsageError(f"no model '{name}'; {hint}")
    try:
        return _class_at(targets[name])
    except (ImportError, AttributeError) as error:
        raise UsageError(f"model '{name}' ({targets[name]}) does not load: {error}") from error


def _class_at(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _in_folder(name: str) -> bool:
    """Whether a model is named by its folder or as on a hub; a folder named like a model of ours must be `./so`."""
    known = name in OURS or any(entry.name == name for entry in _others())
    return not known and (any(mark in name for mark in "/\\") or (name != "" and Path(name).is_dir()))
