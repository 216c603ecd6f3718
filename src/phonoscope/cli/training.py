"""Settings of training as flags: what the network's authors used, then the TOML file, then the command line."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, make_dataclass, replace
from typing import Annotated, Any, Literal, cast

import msgspec
import tyro

from phonoscope.cli.options import settings_in
from phonoscope.core.errors import UsageError
from phonoscope.job import known, params_from
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams
from phonoscope.tasks.asd.presets import PRESETS, preset
from phonoscope.train.params import TrainParams

Model = Literal["lr-asd", "light-asd", "talknet", "ava-asd", "tiny"]
PARTS = {"learning": TrainParams, "examples": ExamplesParams, "augment": AugmentParams}
OF_VERB = ("init", "init_partial", "licence")  # may stand in [train] too


@dataclass(frozen=True, kw_only=True)
class AsdModel:
    """Which network."""

    model: Model = "lr-asd"  # the network that learns


def parse_training(verb: type, arguments: Sequence[str]) -> tuple[Any, str, dict[str, Any]]:
    """The options of the verb, the network's name, and the settings `learning`, `examples` and `augment`.

    Raises:
        UsageError: a setting makes no sense, or the file of settings cannot be read.
        SystemExit: help was asked for (0), or the arguments do not fit the options (2).
    """
    file = _file(_said(arguments, "--config"))
    model = _said(arguments, "--asd.model") or file.get("asd", {}).get("model", AsdModel().model)
    told = dict(file.get("train", {}))
    told = {known(key, [*OF_VERB, *_names()], "setting of [train]"): value for key, value in told.items()}
    init = _said(arguments, "--init") or told.get("init", "")
    if model not in PRESETS:
        raise UsageError(f"no network '{model}' to train; there are {', '.join(PRESETS)}")
    learning, examples = preset(model, fine_tune=bool(init))
    parts = {"learning": learning, "examples": examples, "augment": AugmentParams()}
    parts = {name: _with(part, told) for name, part in parts.items()}
    said = {f.name: told.get(f.name, tyro.MISSING if f.default is MISSING else f.default) for f in fields(verb)}
    flat = [(name, Annotated[type(part), tyro.conf.arg(name="")], part) for name, part in parts.items()]
    asd = AsdModel(model=cast(Model, model))
    whole = make_dataclass(
        "Options",
        [("verb", Annotated[verb, tyro.conf.arg(name="")], verb(**said)), ("asd", AsdModel, asd), *flat],
        frozen=True, kw_only=True,
    )  # fmt: skip
    about = (inspect.getdoc(verb) or "").replace("\nphonoscope", "\n\nphonoscope")
    options: Any = tyro.cli(whole, args=list(arguments), prog="phonoscope train", description=about)
    return options.verb, options.asd.model, {name: getattr(options, name) for name in PARTS}


def _names() -> list[str]:
    return [f.name for kind in PARTS.values() for f in fields(kind)]


def _with(part: Any, told: Mapping[str, Any]) -> Any:
    """A part of the settings with those that the file tells."""
    mine = {f.name: told[f.name] for f in fields(part) if f.name in told}
    try:
        checked = msgspec.convert(mine, type(part), strict=True)
    except msgspec.ValidationError as error:
        raise UsageError(f"[train] {error}") from None
    return replace(part, **{name: getattr(checked, name) for name in mine})


def _file(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    values = settings_in(path)
    params_from(values)
    return values


def _said(arguments: Sequence[str], option: str) -> str | None:
    """What the command line gives an option, before it is parsed: defaults depend on it."""
    for here, after in zip(arguments, [*arguments[1:], None], strict=True):
        if here == option:
            return after
        if here.startswith(f"{option}="):
            return here.partition("=")[2]
    return None
