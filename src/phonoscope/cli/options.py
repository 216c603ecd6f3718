"""Options that verbs share: every step's settings as flags, and as a TOML file."""

import inspect
import logging
import tomllib
from collections.abc import Sequence
from dataclasses import fields, make_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import tyro

from phonoscope.core.errors import UsageError
from phonoscope.job import Params, fraction, params_from, rate
from phonoscope.store.folder import NATIVE

registry = tyro.constructors.ConstructorRegistry()


@registry.primitive_rule
def _fraction(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    if info.type is not Fraction:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="FRACTION",
        instance_from_str=lambda given: fraction(given[0]),
        is_instance=lambda it: isinstance(it, Fraction),
        str_from_instance=lambda it: [str(it)],
    )


@registry.primitive_rule
def _rate(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    if info.type != Fraction | None:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="FRACTION|native",
        instance_from_str=lambda given: rate(given[0]),
        is_instance=lambda it: it is None or isinstance(it, Fraction),
        str_from_instance=lambda it: [NATIVE if it is None else str(it)],
    )


@registry.primitive_rule
def _place(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    if info.type != Path | str:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="PATH",
        instance_from_str=lambda given: given[0] if "://" in given[0] else Path(given[0]),  # a Path would drop a slash
        is_instance=lambda it: isinstance(it, Path | str),
        str_from_instance=lambda it: [str(it)],
    )


def parse(verb: type, arguments: Sequence[str], with_params: bool = True) -> tuple[Any, Any]:
    """The options of a verb, a dataclass, and the settings of the steps: defaults, then `--config`, then flags.

    An option of several values may be repeated: `--want a --want b` is `--want a b`.

    Raises:
        UsageError: a setting makes no sense, or the file of settings cannot be read.
        SystemExit: help was asked for (0), or the arguments do not fit the options (2).
    """
    arguments = _gathered(arguments, [f"--{f.name}" for f in fields(verb) if f.type == tuple[str, ...]])
    name = f"phonoscope {verb.__module__.rsplit('.', 1)[-1]}"
    about = (inspect.getdoc(verb) or "").replace("\nphonoscope", "\n\nphonoscope")  # tyro would run examples together
    with registry:
        if not with_params:
            return tyro.cli(verb, args=arguments, prog=name, description=about), None
        whole = with_settings(verb, _config(arguments))
        options: Any = tyro.cli(whole, args=arguments, prog=name, description=about)
    return options.verb, Params(**{f.name: getattr(options, f.name) for f in fields(Params)})


def with_settings(verb: type, defaults: Any) -> type:
    """The options of a verb (field `verb`) and the settings of all steps, as one dataclass."""
    own = ("verb", Annotated[verb, tyro.conf.arg(name="")])
    sections = [(f.name, f.type, getattr(defaults, f.name)) for f in fields(Params)]
    whole = make_dataclass("Options", [own, *sections], frozen=True, kw_only=True)
    whole.__doc__ = inspect.getdoc(verb)
    return whole


def _gathered(arguments: Sequence[str], options: Sequence[str]) -> list[str]:
    """The same arguments with the values of each repeated option behind one of them; tyro keeps the last one's."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    mine, rest = list(arguments[:end]), list(arguments[end:])
    for option in options:
        if sum(word.partition("=")[0] == option for word in mine) < 2:
            continue
        others, values, ours = [], [], False
        for word in mine:
            name, equals, value = word.partition("=")
            if name == option:
                ours = not equals  # after --want=a comes no further value
                values += [value] if equals else []
            else:
                ours = ours and not word.startswith("-")
                (values if ours else others).append(word)
        mine = [*others, option, *values]
    return [*mine, *rest]


def _config(arguments: Sequence[str]) -> Any:
    path = None
    for here, after in zip(arguments, [*arguments[1:], None], strict=True):
        if here == "--config":
            path = after
        elif here.startswith("--config="):
            path = here.partition("=")[2]
    if path is None:
        return Params()
    values = settings_in(path)
    if is_yaml(path):
        values.pop("asd")  # ava-asd is what such a file trains, not what scores before it is trained
    return params_from(values)


def settings_in(path: str) -> dict[str, Any]:
    """Settings by section, from a TOML file of ours or a config.yaml of ava_asd, each of whose other keys is told.

    Raises:
        UsageError: the file cannot be read.
    """
    if is_yaml(path):
        from phonoscope.data.ava_asd_config import settings_from

        values, said = settings_from(path)
        for line in said:
            logging.getLogger("phonoscope").warning("%s: %s", path, line)
        return values
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {path}: {error}") from None


def is_yaml(path: str) -> bool:
    """Whether a file of settings is one of ava_asd's."""
    return path.lower().endswith((".yaml", ".yml"))
