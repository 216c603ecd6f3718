"""`phonoscope VERB …`: finds the verb, shows errors as one line, sets the exit code."""

import importlib
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence

from phonoscope.core.errors import PhonoscopeError, UsageError

VERBS = {
    "prepare": "films in, a prepared store out: the main job",
    "ingest": "take films into a store: their clock and their sound, nothing more",
    "annotations": "films with labels that people gave (AVA, ASW) into a store: their faces, who speaks when",
    "fetch": "films of a list from the web, politely: AVSpeech, AVA, HDTF, VoxCeleb2, or any table of URLs",
    "check": "are collected clips fit for training? no face, several faces, no speech, one speaker in two sets …",
    "cut": "cut long films into pieces of so many seconds",
    "run": "make artifacts of the recordings of a store",
    "status": "what a store holds, what is missing, what failed",
    "show": "look at one artifact: in words, as a picture, as film",
    "train": "a network learns from a store: who speaks",
    "select": "which tracks become clips: a query, and how many each condition leaves",
    "windows": "seconds of faces and voices that belong together or do not, to train with",
    "separate": "film of people who talk at once: the voice of each face as a wav, and a film with only that voice",
    "mix": "voices of different people heard at once, and what each of them is, to learn to part them",
    "visemes": "speech as tracks of mouth shapes: Rhubarb, Moho, ARKit, TextGrid …, and a page that shows them",
    "speak": "texts as speech in many voices, with the times of every phone: labelled speech to train and test with",
    "pack": "write clips into a folder, in a layout that other trainers read",
    "evaluate": "how well a task is done: scores against a truth",
    "forget": "remove recordings and everything made of them, for good",
    "report": "write report.html, the store on one page",
    "models": "which networks there are, where their weights are, under which licence",
    "doctor": "is everything here that phonoscope needs?",
    "completion": "a script that lets your shell complete verbs and options",
}

INTRO = """phonoscope: film of talking people in, training-ready audio-visual speech data out.

  phonoscope prepare film.mp4 --to films     faces, tracks, crops, who speaks when
  phonoscope show films/film tracks          look at what was found
  open films/report.html                     the whole store on one page

verbs (each has --help):
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. 0: all well; 1: some recordings failed; 2: wrong usage."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for chatty in ("aiobotocore", "botocore"):  # they tell of each bucket where its credentials were found
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold what the terminal cannot show
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help", "help"):
        print(INTRO + "\n".join(f"  {verb:10} {about}" for verb, about in VERBS.items()))
        return 0 if given else 2
    if given[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"phonoscope {version('phonoscope')}")
        return 0
    try:
        return _verb(given[0])(given[1:])
    except UsageError as error:
        print(f"phonoscope {given[0]}: {error}", file=sys.stderr)
        return 2
    except PhonoscopeError as error:
        print(f"phonoscope {given[0]}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; nothing is lost
        return 0
    except OSError as error:
        print(f"phonoscope {given[0]}: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130


def _verb(name: str) -> Callable[[Sequence[str]], int]:
    if name not in VERBS:
        from difflib import get_close_matches

        near = get_close_matches(name, VERBS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(VERBS)}"
        raise UsageError(f"no verb '{name}'; {hint}")
    return importlib.import_module(f"phonoscope.cli.{name}").main


if __name__ == "__main__":
    sys.exit(main())
