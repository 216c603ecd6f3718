"""A step is a plain function named for what it makes; its parameters name what it needs."""

import inspect
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, is_dataclass
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

from phonoscope.flow.streams import Film, PartFolder


@dataclass(frozen=True, slots=True)
class Needs:
    """What one running copy of a step occupies."""

    cpus: float = 1
    gpus: float = 0


@dataclass(frozen=True, slots=True)
class Apart:
    """That a step which looks at film may be shown it shot by shot: what it makes of each is the same, byte for byte.

    It goes by nothing but its inputs under the shot, sound apart, and by frames as they are numbered in the whole film.
    """

    around: int = 0  # frames on either side of a shot that it must see as well


@dataclass(frozen=True, slots=True)
class Step:
    """What a step's signature says about it."""

    name: str
    function: Callable[..., Any]
    version: int
    needs: Needs
    inputs: tuple[str, ...]  # artifact names, from the parameter names
    optional: frozenset[str]  # inputs that it can do without: their annotation admits None
    params: type | None  # the dataclass of the parameter `p`
    backends: Mapping[str, str]  # parameter name -> backend kind
    film: str | None  # name of the parameter that receives the film, if the step looks at it
    folder: str | None  # name of the parameter that receives a folder to write into
    makes: type  # type of the artifact
    apart: Apart | None = None  # whether it looks at shots apart, so that long film may be cut

    def inputs_with(self, params: Any) -> tuple[str, ...]:
        """What it needs under these settings, by default its own: all but the optional inputs that `without` names."""
        settings = self.params() if params is None and self.params else params
        without = getattr(settings, "without", frozenset[str]()) & self.optional
        return tuple(name for name in self.inputs if name not in without)

    @property
    def backend_kind(self) -> str | None:
        """The kind of model that this step runs, if any; a step runs one at most."""
        return next(iter(self.backends.values()), None)


def step(
    *, version: int, needs: Needs = Needs(), apart: Apart | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as a step. The function itself is returned untouched: in a test you just call it.

    Raises:
        TypeError: `p` is not a params dataclass, or what is returned is not annotated.
    """

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.step = read_signature(function, version, needs, apart)  # type: ignore[attr-defined]
        return function

    return mark


def read_signature(function: Callable[..., Any], version: int, needs: Needs, apart: Apart | None = None) -> Step:
    """The step that a function's name, parameters and annotations describe."""
    hints = get_type_hints(function)
    inputs: list[str] = []
    optional: set[str] = set()
    backends: dict[str, str] = {}
    params: type | None = None
    film = folder = None
    for name in inspect.signature(function).parameters:
        kind = hints.get(name)
        if name == "p":
            if not (isinstance(kind, type) and is_dataclass(kind)):
                raise TypeError(f"{function.__qualname__}: parameter 'p' must be a params dataclass, got {kind!r}")
            params = kind
        elif kind is Film:
            film = name
        elif kind is PartFolder:
            folder = name
        elif backend := getattr(kind, "backend_kind", None):
            backends[name] = backend
        else:
            inputs.append(name)
            if type(None) in get_args(kind):
                optional.add(name)
    if "return" not in hints:
        raise TypeError(f"{function.__qualname__}: a step must annotate what it returns, so that it can be stored")
    made = hints["return"]
    if get_origin(made) is Generator:
        made = get_args(made)[2]
    return Step(
        name=function.__name__,
        function=function,
        version=version,
        needs=needs,
        inputs=tuple(inputs),
        optional=frozenset(optional),
        params=params,
        backends=backends,
        film=film,
        folder=folder,
        makes=made,
        apart=apart,
    )


def steps_in(*modules: ModuleType) -> dict[str, Step]:
    """Every step that these modules define, by name.

    Raises:
        ValueError: two of them make the same artifact.
    """
    found: dict[str, Step] = {}
    for module in modules:
        for value in vars(module).values():
            marked = getattr(value, "step", None)
            if isinstance(marked, Step) and value.__module__ == module.__name__:
                if marked.name in found:
                    other = found[marked.name].function.__module__
                    raise ValueError(f"two steps make '{marked.name}': {other} and {module.__name__}")
                found[marked.name] = marked
    return found
