"""What 'auto' means as a scorer of speech where film runs at a rate that networks have not learnt from: `motion`."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from phonoscope.core.media import Recording
from phonoscope.models.speaking import FASTEST, SLOWEST


def within_reach(params: Any, fps: Fraction | None) -> Any:
    """Settings of all steps for a store of this rate; None: each film keeps its own, see `by_rate`."""
    if fps is None or SLOWEST <= fps <= FASTEST or not _is_open(params.asd):
        return params
    return replace(params, asd=replace(params.asd, model="motion"))


def depends_on_film(params: Any, fps: Fraction | None) -> bool:
    """Whether the scorer is to be chosen film by film."""
    return fps is None and _is_open(params.asd)


def by_rate(params: Mapping[str, Any], recording: Recording) -> Mapping[str, Any]:
    """Settings of each step for one film, of those for film of usual rates."""
    if "asd" not in params or SLOWEST <= recording.fps <= FASTEST:
        return params
    return {**params, "asd": replace(params["asd"], model="motion")}


def _is_open(asd: Any) -> bool:
    return asd.model == "auto" and not asd.weights
