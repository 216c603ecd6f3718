"""`phonoscope completion`: what the shell needs to complete verbs, options and settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import tyro
from tyro.conf import Positional

from phonoscope.cli import doctor, ingest, models, pack, prepare, report, run, show, status
from phonoscope.cli.options import parse, registry, with_settings
from phonoscope.job import Params


@dataclass(frozen=True, kw_only=True)
class Completion:
    """Print a completion script for your shell.

    phonoscope completion bash >> ~/.bash_completion
    phonoscope completion zsh > ~/.zfunc/_phonoscope
    phonoscope completion fish > ~/.config/fish/completions/phonoscope.fish
    """

    shell: Positional[Literal["bash", "zsh", "fish"]]


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Completion, arguments, with_params=False)
    verbs = {
        "prepare": with_settings(prepare.Prepare, Params()),
        "ingest": ingest.Ingest,
        "run": with_settings(run.Run, Params()),
        "status": status.Status,
        "show": show.Show,
        "pack": pack.Pack,
        "report": report.Report,
        "models": models.Models,
        "doctor": doctor.Doctor,
        "completion": Completion,
    }
    with registry:
        tyro.extras.subcommand_cli_from_dict(
            verbs, args=["--tyro-print-completion", options.shell], prog="phonoscope"
        )  # it prints, and leaves by SystemExit
    return 0
