"""`phonoscope visemes`: speech in, tracks of mouth shapes out."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from phonoscope.cli.bar import seconds_bar
from phonoscope.cli.options import parse
from phonoscope.core.errors import RecordingFailed, UsageError
from phonoscope.data import viseme_job as api
from phonoscope.data.viseme_sounds import Sound, sounds_of
from phonoscope.data.viseme_tracks import VisemeTrackParams
from phonoscope.models.registry import spec
from phonoscope.report.wording import amount
from phonoscope.steps.visemes import VisemesParams


@dataclass(frozen=True, kw_only=True)
class Visemes:
    """Speech as tracks of mouth shapes, in files that animation programs open; any language, and no text is needed.

    phonoscope visemes talk.wav --as rhubarb-tsv > talk.tsv                 as Rhubarb writes it
    phonoscope visemes talk.mp4 --as moho-dat --as srt --to mouths          mouths/talk.dat, mouths/talk.srt
    phonoscope visemes voices films --as arkit-csv --fps 60 --to mouths     a folder of sounds, and a store
    phonoscope visemes talk.wav --as textgrid --text talk.txt --to mouths   English: words and phones too
    phonoscope visemes talk.wav --preview talk.html                         hear it, and see a mouth speak it

    Formats: oculus-json, rhubarb-tsv, rhubarb-json, rhubarb-xml, moho-dat, azure-json, arkit-csv, vrm-json, textgrid,
    srt. Files that are there are kept, unless --force says otherwise. Of a store the visemes that it holds are taken,
    if they are fresh.
    """

    sounds: Positional[tuple[str, ...]]  # sounds, films, folders or .txt lists of them, stores
    as_: Annotated[UseAppendAction[tuple[str, ...]], arg(name="as", metavar="FORMAT")] = ()  # may be repeated
    to: Path | None = None  # folder for the files; without it, one file goes to standard output
    text: str = ""  # what is said in English, or a file with it: its words are found in the sound
    dictionary: Path | None = None  # how words are pronounced, written as CMU's; by default that, if it is installed
    preview: Path | None = None  # a page, .html, with the sound, the weights and a mouth that moves
    fps: Fraction | None = None  # frames a second of formats that have frames; native: what is usual there
    visemes: VisemesParams = field(default_factory=VisemesParams)  # what listens, and how restless a track may be
    track: Annotated[VisemeTrackParams, arg(name="visemes")] = field(default_factory=VisemeTrackParams)
    force: bool = False  # write over files that are there
    dry_run: bool = False  # say what would be written, and write nothing


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if a sound failed."""
    options, _ = parse(Visemes, arguments, with_params=False)
    sounds = sounds_of(options.sounds)
    _check(options, len(sounds))
    api.check_formats(options.as_, options.fps)
    model = spec("viseme_scorer", options.visemes.model, options.visemes.weights)
    visemes = api.visemes_of(options.text, options.dictionary, options.track, model)
    failed = False
    for sound in sounds:
        try:
            _one(sound, visemes, options)
        except (RecordingFailed, UsageError, OSError) as error:
            if len(sounds) == 1:
                raise
            failed = True
            print(f"failed  {sound.name}: {error}", flush=True)
    return int(failed)


def _check(options: Visemes, count: int) -> None:
    if not options.as_ and not options.preview:
        raise UsageError("say with --as in which format, or with --preview where the page is to lie")
    if options.to is None and (count > 1 or len(options.as_) > 1):
        raise UsageError("several files are to be written: say with --to in which folder")
    if count > 1 and (options.preview or options.text):
        raise UsageError(f"--preview and --text are for one sound, {count} were given")
    if options.dictionary and not options.text:
        raise UsageError("--dictionary says how words are pronounced: give them with --text")
    if options.preview and options.preview.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--preview is a page, so its name ends in .html, got '{options.preview}'")


def _one(sound: Sound, visemes: api.Visemes, options: Visemes) -> None:
    """Write all that is asked for of one sound, but for what is there already, and tell it."""
    files = api.files_of(sound, options.as_, options.to) if options.to else {}
    due = {name: path for name, path in files.items() if options.force or not path.exists()}
    kept = [path for name, path in files.items() if name not in due]
    page = options.preview if options.preview and (options.force or not options.preview.exists()) else None
    kept += [options.preview] if options.preview and not page else []
    told = [f"{path} kept (--force writes it anew)" for path in kept]
    shown = options.as_[0] if options.as_ and not options.to else None
    if options.dry_run:
        told += [f"{path} would be written" for path in (*due.values(), *([page] if page else []))]
        told += [f"{shown} would be printed"] if shown else []
        print(f"{sound.name}: {amount(sound.duration_s)}: {', '.join(told)}")
        return
    if due or page or shown:
        with seconds_bar(sound.name, sound.duration_s) as on_heard:
            spoken = visemes.of(sound, on_heard)
        api.write_visemes(spoken, due, options.fps)
        if page:
            from phonoscope.report.viseme_page import write_preview

            write_preview(spoken, page)
        if shown:
            print(spoken.text(shown, options.fps), end="")
        length = float(spoken.track.rows / spoken.track.rate)
        told.insert(0, ", ".join([amount(length), *map(str, due.values()), *([str(page)] if page else [])]))
    if not shown or len(told) > 1:
        print(f"{sound.name}: {'; '.join(told)}", file=sys.stderr if shown else sys.stdout, flush=True)
