"""Options that verbs share: every step's settings as flags, and as a TOML file."""

import inspect
import tomllib
from collections.abc import Sequence
from dataclasses import fields, make_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import tyro

from phonoscope.core.errors import UsageError
from phonoscope.job import Params, params_from

registry = tyro.constructors.ConstructorRegistry()


@registry.primitive_rule
def _fraction(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    if info.type is not Fraction:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="FRACTION",
        instance_from_str=lambda given: Fraction(given[0]),
        is_instance=lambda it: isinstance(it, Fraction),
        str_from_instance=lambda it: [str(it)],
    )


def parse(verb: type, arguments: Sequence[str], with_params: bool = True) -> tuple[Any, Any]:
    """The options of a verb, a dataclass, and the settings of the steps: defaults, then `--config`, then flags."""
    name = f"phonoscope {verb.__module__.rsplit('.', 1)[-1]}"
    about = (inspect.getdoc(verb) or "").replace("\nphonoscope", "\n\nphonoscope")  # tyro would run examples together
    with registry:
        if not with_params:
            return tyro.cli(verb, args=arguments, prog=name, description=about), None
        defaults = _config(arguments)
        own = ("verb", Annotated[verb, tyro.conf.arg(name="")])
        sections = [(f.name, f.type, getattr(defaults, f.name)) for f in fields(Params)]
        whole = make_dataclass("Options", [own, *sections], frozen=True, kw_only=True)
        options: Any = tyro.cli(whole, args=arguments, prog=name, description=about)
    return options.verb, Params(**{f.name: getattr(options, f.name) for f in fields(Params)})


def _config(arguments: Sequence[str]) -> Any:
    path = None
    for here, after in zip(arguments, [*arguments[1:], None], strict=True):
        if here == "--config":
            path = after
        elif here.startswith("--config="):
            path = here.partition("=")[2]
    if path is None:
        return Params()
    try:
        return params_from(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {path}: {error}") from None
