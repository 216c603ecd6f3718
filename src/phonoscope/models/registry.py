"""Models by name: which there are, which one 'auto' means, and how one is loaded.

A model that others may train further has several weights: `lr-asd` are those it is preferred with, `lr-asd:ava` others
that its class names, `lr-asd:/path/to/file` any file that fits. A speech encoder may also be named by the folder that
holds it or by its name on a hub, `org/name`; it is run on $PHONOSCOPE_DEVICE.
"""

import difflib
import importlib
import importlib.metadata
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phonoscope.core.errors import MissingWeights, UsageError
from phonoscope.core.geometry import POLICIES
from phonoscope.models import pretrained
from phonoscope.models.cards import Card, about_file, card_of_file
from phonoscope.models.hashes import sha256_of
from phonoscope.models.weights import Say, aloud, resolve

OURS = {
    "yunet": "phonoscope.models.backends.yunet:YuNet",
    "blazeface": "phonoscope.models.backends.blazeface:BlazeFace",
    "silero": "phonoscope.models.backends.silero:Silero",
    "motion": "phonoscope.models.backends.motion:Motion",
    "tiny": "phonoscope.models.backends.tiny:Tiny",
    "facemesh": "phonoscope.models.backends.facemesh:FaceMesh",
    "dlib68": "phonoscope.models.backends.dlib68:Dlib68",
    "palm": "phonoscope.models.backends.palm:Palm",
    "dlib128": "phonoscope.models.backends.dlib128:Dlib128",
    "facenet": "phonoscope.models.backends.facenet:FACENET",
    "facenet-avgpool": "phonoscope.models.backends.facenet:FACENET_AVGPOOL",
    "facenet-avgpool-raw": "phonoscope.models.backends.facenet:FACENET_AVGPOOL_RAW",
    "lr-asd": "phonoscope.models.backends.lr_asd:LR_ASD",
    "light-asd": "phonoscope.models.backends.light_asd:LIGHT_ASD",
    "talknet": "phonoscope.models.backends.talknet:TALKNET",
    "ava-asd": "phonoscope.models.backends.ava_asd:AvaAsd",
    "compact": "phonoscope.models.backends.compact:Compact",
    "looking-to-listen": "phonoscope.models.backends.looking_to_listen:LookingToListen",
    "mouth": "phonoscope.models.backends.mouth:Mouth",
    "lr-asd-lips": "phonoscope.models.backends.lr_asd_lips:LrAsdLips",
    "viseme-gru": "phonoscope.models.backends.viseme_gru:VisemeGru",
}
PREFERRED = {
    "face_detector": ("yunet", "blazeface"),
    "voice_detector": ("silero",),
    "speaking_scorer": ("lr-asd", "tiny", "motion"),
    "face_landmarker": ("facemesh",),
    "hand_detector": ("palm",),
    "face_embedder": ("dlib128",),
    "viseme_scorer": ("viseme-gru",),
    "voice_separator": ("compact",),
    "lip_encoder": ("mouth", "lr-asd-lips"),
}
IN_FOLDERS = "phonoscope.models.backends.hidden_states:HiddenStates"  # runs what is named by a folder or a hub's name
RUN_WEIGHTS = "weights.safetensors"  # in the folder of a run of training
GROUP = "phonoscope.backends"  # entry points of others, of the same shape as OURS


def names(kind: str | None = None) -> tuple[str, ...]:
    """The models that can be asked for: ours, then those of other packages; of one kind if you name it."""
    every = (*OURS, *(entry.name for entry in _others() if entry.name not in OURS))
    return tuple(name for name in every if kind is None or _class(name).backend_kind == kind)


def variants(name: str) -> tuple[str, ...]:
    """The name of a model, and those of its other weights: `lr-asd`, `lr-asd:ava`."""
    cards: Mapping[str, Card] = getattr(_class(name), "cards", {})
    return (name, *(f"{name}:{which}" for which in list(cards)[1:]))


def calibration_of(name: str) -> Any:
    """What makes probabilities of a model's scores, with `scale` and `offset`; None if nobody has fitted it."""
    backend = _class(name)
    cards: Mapping[str, Card] = getattr(backend, "cards", {})
    which = name.partition(":")[2] or next(iter(cards), "")
    return getattr(backend, "calibrations", {}).get(which)


def card_of(name: str) -> Card:
    """The card of a model, with the weights that its name asks for.

    Raises:
        UsageError: there is no such model, or it has no such weights.
        MissingWeights: it is named as on a hub, and the hub does not answer.
    """
    if _in_folder(name):
        return pretrained.card_of(name)
    model, _, which = name.partition(":")
    backend = _class(model)
    cards: Mapping[str, Card] = getattr(backend, "cards", {})
    if which in cards:
        return cards[which]
    if not which:
        return backend.card
    path = Path(which).expanduser()
    if not path.is_file() or not hasattr(backend, "cards"):
        among = f"of '{model}' there are {', '.join(cards) or 'none'}" + (", or give a file" if cards else "")
        raise UsageError(f"no weights '{which}'; {among}")
    known = next((card for card in cards.values() if card.sha256 == sha256_of(path)), None)
    return known or card_of_file(path, backend.card)


def sees_depth(name: str) -> bool:
    """Whether a landmarker gives a mesh and the rotation of the head.

    Raises:
        UsageError: there is no such model.
    """
    return _class(name).depth


def spec(kind: str, model: str, weights: str) -> str:
    """The name of a model with other weights than those that it is preferred with: `lr-asd:ava`, `lr-asd:/a/file`.

    Args:
        model: its name; 'auto' where `weights` is a file, which tells whose they are.
        weights: a name that the model knows, a file, or the folder of a run; nothing leaves `model` as it is.

    Raises:
        UsageError: there is no such file, it holds no weights of a model that we know, or 'auto' has no such weights.
    """
    if not weights:
        return model
    path = Path(weights).expanduser()
    path = path / RUN_WEIGHTS if (path / RUN_WEIGHTS).is_file() else path
    is_file = path.is_file()
    if not is_file and (path.suffix or len(path.parts) > 1):
        raise UsageError(f"there is no file of weights '{weights}'")
    if model == "auto":
        model = _network_in(path) if is_file else _preferred_with(kind, weights)
    return f"{model}:{path.resolve() if is_file else weights}"


def policy_of(name: str) -> str:
    """The crop policy that a speaking scorer has learnt from.

    Raises:
        UsageError: there is no such model, or its file of weights tells of a policy that there is not.
    """
    which = name.partition(":")[2]
    path = Path(which).expanduser()
    told = about_file(path).get("policy") if which and path.is_file() else None
    if told and told not in POLICIES:
        raise UsageError(f"'{path}' wants the crop policy {told!r}; there are {', '.join(POLICIES)}")
    return str(told or _class(name).policy)


def load(name: str, *, weights: Path | str | None = None, threads: int = 1) -> Any:
    """A model, ready to call.

    Args:
        weights: the file to load, if not the one that `weights.weights(card)` finds. Where a model may be trained
            further, any file that fits; else the one whose sha256 is the card's.
        threads: at most so many; one where results would depend on it in their last bits.

    Raises:
        UsageError: there is no such model, or `weights` are not of it, or must be given and are not.
        MissingWeights: they could not be had.
    """
    if _in_folder(name):
        card = pretrained.card_of(name)
        device = os.environ.get("PHONOSCOPE_DEVICE", "cpu")
        return _class(name)(pretrained.fetched(card, aloud), card, threads=1, device=device)
    model, _, which = name.partition(":")
    backend = _class(model)
    if hasattr(backend, "cards"):
        given = which if weights is None else str(weights)
        card = card_of(f"{model}:{given}" if given else model)
        if given and given not in backend.cards:
            path = Path(given).expanduser()  # though it may hold published weights, which could be had elsewhere too
        else:
            _check_published(card)
            path = resolve(card, aloud)
        return backend(path, card=card, threads=threads)
    card = card_of(name)
    if not card.sha256:
        return backend()
    if weights is None:
        return backend(resolve(card, aloud), threads=1)
    if (found := sha256_of(Path(weights))) != card.sha256:
        raise UsageError(f"{weights} has sha256 {found}, but the weights of '{name}' have {card.sha256}")
    return backend(Path(weights), threads=1)


def check_installed(name: str) -> None:
    """Nothing, if the packages that a model runs on are installed.

    Raises:
        UsageError: there is no such model, or an extra is missing; it names the command that installs it.
    """
    getattr(_class(name), "check_installed", lambda: None)()


def choose(kind: str, name: str = "auto", *, say: Say = aloud) -> str:
    """The name of the model to use: 'auto' gives the preferred one of its kind whose weights can be had.

    Args:
        say: is told in one line why a preferred model was passed over.

    Raises:
        UsageError: there is no such model, or it is of another kind; 'auto', and an extra that it needs is missing.
        MissingWeights: 'auto', and the weights of none can be had.
    """
    if name != "auto" and (name or kind in PREFERRED):
        if (is_a := _class(name).backend_kind) != kind:
            raise UsageError(f"'{name}' is a {is_a}; as a {kind} there are {', '.join(names(kind)) or 'none'}")
        if _in_folder(name):
            pretrained.card_of(name)  # before any film is touched: is it there, and of a kind that we know?
        else:
            _check_published(card_of(name))  # so too
        return name
    if kind == _class_at(IN_FOLDERS).backend_kind:
        raise UsageError("no model is named for speech: give --speech.model FOLDER, or org/name as a hub names it")
    if kind not in PREFERRED:
        if not (there := names(kind)):
            raise UsageError(f"no {kind} comes along; a package may bring one, as an entry point of '{GROUP}'")
        raise UsageError(f"no model is preferred as a {kind}; name one of {', '.join(there)}")
    missing: list[str] = []
    for candidate in PREFERRED[kind]:
        check_installed(candidate)  # before anything is fetched
        card = card_of(candidate)
        try:
            if card.sha256:
                resolve(card, say)
        except MissingWeights as error:
            missing.append(str(error))
        else:
            if missing:
                say(f"using {candidate} as {kind}: {'; '.join(missing)}")
            return candidate
    raise MissingWeights("; ".join(missing))


def _check_published(card: Card) -> None:
    if card.sources == ("file:",):
        raise UsageError(f"'{card.name}' has no weights that can be fetched: {card.notes}")


def _network_in(path: Path) -> str:
    from phonoscope.models.state_dicts import read_state_dict

    if (found := read_state_dict(path).network) in OURS:
        return str(found)
    raise UsageError(f"'{path}' does not say of which network it holds the weights: name it, as in --asd.model lr-asd")


def _preferred_with(kind: str, weights: str) -> str:
    for name in PREFERRED[kind]:
        if weights in getattr(_class(name), "cards", {}):
            return name
    raise UsageError(f"no weights '{weights}' of {', '.join(PREFERRED[kind])}; name the model, or give a file or a run")


def _others() -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points(group=GROUP)


def _class(name: str) -> Any:
    """What makes a model of that name, a class mostly; its module is imported only now."""
    if _in_folder(name):
        return _class_at(IN_FOLDERS)
    name = name.partition(":")[0]
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
    model = name.partition(":")[0]
    known = model in OURS or any(entry.name == model for entry in _others())
    return not known and (any(mark in name for mark in "/\\") or (name != "" and Path(name).is_dir()))
