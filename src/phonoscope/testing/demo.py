"""`make demo`: draw a film, or take yours, prepare it, and say where to look."""

import shlex
import sys
from pathlib import Path

from phonoscope.cli.main import main as phonoscope
from phonoscope.flow.ingest import slug


def main(folder: str, clip: str = "") -> int:
    """Prepare `clip`, or a film drawn into `folder`, into the store `folder`/store."""
    here = Path(folder)
    here.mkdir(parents=True, exist_ok=True)
    film = Path(clip).absolute() if clip else here / "puppets.mp4"  # absolute: a name may begin with a dash
    if not clip and not film.exists():
        from phonoscope.testing.puppet import demo
        from phonoscope.testing.puppet import film as write_film

        print(f"drawing {film}: three shots, people who take turns, and the exact truth about them")
        write_film(film, demo())
    code = phonoscope(["prepare", str(film), "--to", str(here / "store"), "--want", "crop_video"])
    show = [".venv/bin/phonoscope", "show", f"{here}/store/{slug(film.stem)}", "tracks", "--to", f"{here}/tracks.mp4"]
    print(
        f"\nlook at  {here}/store/report.html           the store on one page"
        f"\n         {here}/store/recordings/*/         every artifact, a file each"
        f"\n         {here}/store/recordings/*/crops/   one small film a face"
        f"\ntry      {shlex.join(show)}"
    )
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
