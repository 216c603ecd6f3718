"""A folder of separated voices as a page: each is seen and heard beside the sound that it was in."""

from pathlib import Path
from urllib.parse import quote

from phonoscope.report.page import environment
from phonoscope.report.spectrogram import DEPTH_DB, shaded, spectrogram
from phonoscope.store.files import whole_file
from phonoscope.tasks.separation.separated import Separated, read_separated

FILE = "report.html"


def write_separation_page(folder: Path) -> Path:
    """Where the page of all recordings in a folder of voices now lies; the same files give the same bytes.

    It needs no network; sounds and films are those beside it, pictures stand in the page itself. A recording of which a
    sound was taken away is left out.
    """
    told = [made for path in sorted(folder.glob("*.json")) if (made := read_separated(path)) and _heard(folder, made)]
    shown = {"name": folder.resolve().name, "recordings": [_shown(folder, made) for made in told], "depth": DEPTH_DB}
    page = environment().get_template("separation.html").render(shown)
    path = folder / FILE
    with whole_file(path) as part:
        part.write_text(page, encoding="utf-8", newline="\n")
    return path


def _heard(folder: Path, made: Separated) -> bool:
    """Whether all its sounds are still there."""
    return all((folder / name).exists() for name in (made.mixture, *(it.wav for it in made.faces)))


def _shown(folder: Path, made: Separated) -> dict[str, object]:
    mixture = spectrogram(folder / made.mixture)
    loudest = float(mixture.max(initial=-120.0))
    faces = [
        {
            "it": face,
            "picture": shaded(spectrogram(folder / face.wav), loudest),
            "portrait": folder / face.portrait if face.portrait else None,
            "wav": quote(face.wav),
            "film": quote(face.film),
        }
        for face in made.faces
    ]
    return {"it": made, "picture": shaded(mixture, loudest), "sound": quote(made.mixture), "faces": faces}
