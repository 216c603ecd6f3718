"""Settings of all steps, as Python and TOML have them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, make_dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

import msgspec

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.job.steps import STEPS
from phonoscope.store.folder import NATIVE

BESIDE = ("train", "separation", "language")  # no steps: `phonoscope train` reads the first two; docs/train.md


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockParams:
    """The time that a store keeps."""

    fps: Fraction | None = Fraction(25)  # frames a second, any fraction such as 30000/1001; native: as filmed
    sample_rate: int = 16000  # Hz, of the sound

    def __post_init__(self) -> None:
        if self.fps is not None and self.fps <= 0:
            raise UsageError(f"clock.fps must be above 0, got {self.fps}")
        if self.fps is not None and self.fps.denominator > 10**6:
            meant = self.fps.limit_denominator(1001)
            raise UsageError(f"clock.fps {float(self.fps)} has lost its fraction: write {meant}")
        within("clock.sample_rate", self.sample_rate, 1, 655350)  # what FLAC can hold


def _all_params() -> type:
    kinds = [(name, step.params, field(default_factory=step.params)) for name, step in STEPS.items() if step.params]
    clock = ("clock", ClockParams, field(default_factory=ClockParams))
    made = make_dataclass("Params", [clock, *kinds], frozen=True, kw_only=True)
    made.__module__ = __name__
    made.__doc__ = "The settings of every step, under the step's name."
    return made


Params = _all_params()


def params_from(values: Mapping[str, Any]) -> Any:
    """Params from plain values, as a TOML file holds them: `{"tracks": {"min_len": 5}}`; `min-len` will do as well.

    Raises:
        UsageError: a name is unknown, or a value is of the wrong type.
    """
    made = Params()
    for section, settings in values.items():
        if section in BESIDE:
            continue
        kinds = {name: type(getattr(made, name)) for name in made.__dataclass_fields__}
        kind = kinds[known(section, kinds, "section")]
        if not isinstance(settings, Mapping):
            raise UsageError(f"'{section}' must be a table of settings, got {settings!r}")
        named = {known(key, kind.__dataclass_fields__, f"setting of [{section}]"): v for key, v in settings.items()}
        if kind is ClockParams and named.get("fps") == NATIVE:
            named["fps"] = None
        try:
            part = msgspec.convert(named, kind, dec_hook=_fraction)
        except (msgspec.ValidationError, ValueError) as error:
            raise UsageError(f"[{section}] {error}") from None
        made = replace(made, **{section.replace("-", "_"): part})
    return made


def known(name: str, among: Iterable[str], what: str) -> str:
    """A name, `-` and `_` being alike, that is among those.

    Raises:
        UsageError: it is not; it says which one is near.
    """
    name = name.replace("-", "_")
    if name not in among:
        near = get_close_matches(name, list(among), n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(among)}"
        raise UsageError(f"no {what} '{name}'; {hint}")
    return name


def _fraction(kind: type, value: Any) -> Any:
    if kind is Fraction and isinstance(value, (int, str)):
        return fraction(value)
    raise ValueError(f"{value!r} is not a {kind.__name__}; write a fraction as '30000/1001'")


def fraction(written: int | str) -> Fraction:
    """25 or "30000/1001" as a number.

    Raises:
        UsageError: it is none.
    """
    try:
        return Fraction(written)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"'{written}' is no fraction; write 25 or 30000/1001") from None


def rate(written: int | str) -> Fraction | None:
    """Frames a second: a fraction, or None for "native", which is each film's own.

    Raises:
        UsageError: it is neither.
    """
    return None if written == NATIVE else fraction(written)
