"""`phonoscope models`: networks, their weights, their licences."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from tyro.conf import Positional

from phonoscope.cli.options import parse
from phonoscope.core.errors import UsageError
from phonoscope.models import registry, weights
from phonoscope.models.state_dicts import read_state_dict


@dataclass(frozen=True, kw_only=True)
class Models:
    """Which networks there are, where their weights are, under which licence.

    phonoscope models                  all of them
    phonoscope models pull yunet       fetch weights into the cache, for a machine that will be offline
    phonoscope models card runs/mine   what a file of weights says of itself: licence, training, figures
    phonoscope models card lr-asd:ava  the card of weights that go by a name

    Weights are looked for in $PHONOSCOPE_HOME/weights, then in the folder $PHONOSCOPE_MODELS, then at their sources.
    """

    action: Positional[Literal["list", "pull", "card"]] = "list"
    name: Positional[str] = ""  # of the network to pull; of card, a file of weights, the folder of a run, or a network
    json: bool = False  # a line of JSON a network, for programs


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Models, arguments, with_params=False)
    if options.action == "pull":
        if not options.name:
            raise UsageError(f"pull which? there are {', '.join(registry.names())}")
        print(weights.weights(registry.card_of(options.name)))
        return 0
    if options.action == "card":
        print(msgspec.json.format(msgspec.json.encode(_card(options.name)), indent=1).decode())
        return 0
    for name in (variant for model in registry.names() for variant in registry.variants(model)):
        card = registry.card_of(name)
        place = weights.where(card)
        if options.json:
            print(msgspec.json.encode({**asdict(card), "where": place}).decode())
        else:
            origin = place or "to be fetched: " + " or ".join(card.sources)
            print(f"{name:10} {card.version:10} {card.licence:12} {origin}")
            print(f"{'':10} {card.cite}" + (f"\n{'':10} {card.notes}" if card.notes else ""))
            if fitted := registry.calibration_of(name):
                print(f"{'':10} probability = 1 / (1 + exp(-({fitted.scale:g} · score + {fitted.offset:g})))")
    return 0


def _card(name: str) -> dict[str, Any]:
    """What a file of weights says of itself, or the card of weights that go by a name.

    Raises:
        UsageError: there is no such file, run or network, or the file holds no weights.
    """
    if not name:
        raise UsageError("the card of what? name a file of weights, the folder of a run, or a network as in lr-asd:ava")
    path = Path(name).expanduser()
    if not path.exists() and not (path.suffix or len(path.parts) > 1):
        return asdict(registry.card_of(name))
    return {**read_state_dict(path / "weights.safetensors" if path.is_dir() else path).about}
