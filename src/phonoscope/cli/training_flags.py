"""Settings of training as flags, whatever is learnt: defaults, then the TOML file, then the command line."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, make_dataclass, replace
from typing import Annotated, Any

import msgspec
import tyro

from phonoscope.cli.options import settings_in
from phonoscope.core.errors import UsageError
from phonoscope.job import known, params_from

OF_VERB = ("init", "init_partial", "licence")  # may stand in [train] too


def chosen(
    arguments: Sequence[str], section: str, there: Iterable[str], otherwise: str, what: str = "network"
) -> tuple[Any, dict[str, Any]]:
    """The name of what is to be trained, by the command line or the file of settings, and what stands under [train].

    Args:
        section: such as "asd": `--asd.model`, or `model` under [asd].
        there: the names that there are.

    Raises:
        UsageError: there is none of that name, or the file cannot be read.
    """
    file, names = settings_file(said(arguments, "--config")), [*there]
    model = said(arguments, f"--{section}.model") or file.get(section, {}).get("model", otherwise)
    if model not in names:
        raise UsageError(f"no {what} '{model}' to train; there are {', '.join(names)}")
    return model, file.get("train", {})


def asked(
    verb: type, arguments: Sequence[str], section: tuple[str, Any], parts: Mapping[str, Any], told: Mapping[str, Any],
    of_verb: Sequence[str],
) -> Any:  # fmt: skip
    """The options of a verb, under `verb`, those of a section under its name, and the settings of each part.

    Args:
        section: such as "asd" and which network is meant: `--asd.model`.
        parts: settings by name, with the defaults of that network; their flags have no prefix.
        told: what the file says under [train], which goes before these defaults.
        of_verb: options of the verb that may stand there too.

    Raises:
        UsageError: the file has a setting that makes no sense.
    """
    names = [*of_verb, *(f.name for part in parts.values() for f in fields(part))]
    told = {known(key, names, "setting of [train]"): value for key, value in told.items()}
    parts = {name: _with(part, told) for name, part in parts.items()}
    begin = {f.name: told.get(f.name, tyro.MISSING if f.default is MISSING else f.default) for f in fields(verb)}
    name, chosen = section
    flat = [(name, Annotated[type(part), tyro.conf.arg(name="")], part) for name, part in parts.items()]
    own = ("verb", Annotated[verb, tyro.conf.arg(name="")], verb(**begin))
    whole = make_dataclass("Options", [own, (name, type(chosen), chosen), *flat], frozen=True, kw_only=True)
    about = (inspect.getdoc(verb) or "").replace("\nphonoscope", "\n\nphonoscope")
    return tyro.cli(whole, args=list(arguments), prog="phonoscope train", description=about)


def _with(part: Any, told: Mapping[str, Any]) -> Any:
    """A part of the settings with those that the file tells."""
    mine = {f.name: told[f.name] for f in fields(part) if f.name in told}
    try:
        checked = msgspec.convert(mine, type(part), strict=True)
    except msgspec.ValidationError as error:
        raise UsageError(f"[train] {error}") from None
    return replace(part, **{name: getattr(checked, name) for name in mine})


def settings_file(path: str | None) -> dict[str, Any]:
    """What the file of settings says, by section; nothing if there is none.

    Raises:
        UsageError: it cannot be read, or has a section or a setting of a step that makes no sense.
    """
    if path is None:
        return {}
    values = settings_in(path)
    params_from(values)
    return values


def said(arguments: Sequence[str], option: str) -> str | None:
    """What the command line gives an option, before it is parsed: defaults depend on it."""
    for here, after in zip(arguments, [*arguments[1:], None], strict=True):
        if here == option:
            return after
        if here.startswith(f"{option}="):
            return here.partition("=")[2]
    return None
