"""What `train` is asked for: the task, and for `asd` what the network's authors used where nothing else is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from phonoscope.cli.training_flags import OF_VERB, asked, chosen, said
from phonoscope.tasks.asd.params import AugmentParams, NetworkParams
from phonoscope.tasks.asd.presets import PRESETS, preset

Model = Literal["lr-asd", "light-asd", "talknet", "ava-asd", "tiny"]
TASKS = ("asd", "visemes", "separation")


@dataclass(frozen=True, kw_only=True)
class AsdModel:
    """Which network."""

    model: Model = "lr-asd"  # the network that learns


def parse_training(verb: type, arguments: Sequence[str]) -> tuple[Any, str, dict[str, Any]]:
    """The options of the verb, the network's name, and its settings by part, such as `learning` and `examples`.

    Raises:
        UsageError: a setting makes no sense, or the file of settings cannot be read.
        SystemExit: help was asked for (0), or the arguments do not fit the options (2).
    """
    task = next((word for word in arguments if word in TASKS), "")
    if task == "visemes":
        from phonoscope.cli.training_visemes import parse_visemes

        return parse_visemes(arguments)
    if task == "separation":
        from phonoscope.cli.training_separation import parse_separation

        return parse_separation(arguments)
    model, told = chosen(arguments, "asd", PRESETS, AsdModel().model)
    init = said(arguments, "--init") or told.get("init", "")
    learning, examples = preset(model, fine_tune=bool(init))
    parts = {"network": NetworkParams(), "learning": learning, "examples": examples, "augment": AugmentParams()}
    options = asked(verb, arguments, ("asd", AsdModel(model=model)), parts, told, OF_VERB)
    return options.verb, options.asd.model, {name: getattr(options, name) for name in parts}
