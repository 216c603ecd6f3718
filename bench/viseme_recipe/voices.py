"""People who speak in Debian's games and toys: nobody says which phone when, so that only the teacher can label them.

Packages: ktuberling-data and klettres-data (KDE's volunteers, some 19 and 21 languages), tuxpaint-stamps-default (11
languages), fillets-ng-data, -cs and -nl (actors, English, Czech and Dutch), all of them under the GPL-2 or later, and
asterisk-prompt-it-menardi-wav (CC-BY-SA-3.0). Each is unpacked (`dpkg -x`) into a folder of its name; none is kept.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soundfile
from av.error import FFmpegError

PACKAGES = (
    "ktuberling-data", "klettres-data", "tuxpaint-stamps-default", "fillets-ng-data", "fillets-ng-data-cs",
    "fillets-ng-data-nl", "asterisk-prompt-it-menardi-wav",
)  # fmt: skip
GAMES = {"fillets_cs": 1200, "fillets_nl": 1200, "fillets_en": 300}  # s at most
STAMPS = ("fr", "ru", "ro", "ca", "bg", "es", "be", "el", "da", "lt", "nl")
LOUD = 0.06  # root of the mean square
LEAST_S, SILENT = 0.2, 1e-4
PAUSES = (800, 1600)  # samples before and after each


def voices(unpacked: Path, into: Path) -> None:
    """A folder a voice, `voice_…`, in it one sound of all that it says."""
    for name, (paths, most_s) in _found(unpacked).items():
        random.Random(0).shuffle(paths)
        parts, total = [], 0
        for path in paths:
            if total < most_s * 16000 and (part := _read(path)) is not None:
                parts.append(np.pad(part, PAUSES))
                total += len(part)
        if total > 4 * 16000:
            folder = into / f"voice_{name}"
            folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / "all.wav", np.concatenate(parts), 16000)


def _found(unpacked: Path) -> dict[str, tuple[list[Path], int]]:
    """The files of each voice, and how many seconds of them are wanted at most."""
    made: dict[str, tuple[list[Path], int]] = {}
    for name, root, most_s in (("tuberling", "ktuberling/sounds", 240), ("letters", "klettres", 120)):
        for folder in sorted(it for it in (unpacked / PACKAGES[name == "letters"] / "usr/share" / root).iterdir()):
            if folder.is_dir() and "@" not in folder.name and folder.name not in ("pics", "icons"):
                made[f"{name}_{folder.name}"] = (list(_sounds(folder)), most_s)
    stamps = list(_sounds(unpacked / "tuxpaint-stamps-default"))
    for language in STAMPS:
        made[f"stamps_{language}"] = ([it for it in stamps if it.name.endswith(f"_desc_{language}.ogg")], 300)
    games = [it for name in PACKAGES[3:6] for it in _sounds(unpacked / name)]
    for name, most_s in GAMES.items():
        made[name] = ([it for it in games if it.parent.name == name[-2:]], most_s)
    made["menardi"] = (list(_sounds(unpacked / "asterisk-prompt-it-menardi-wav")), 480)
    return made


def _sounds(folder: Path) -> Iterator[Path]:
    return (it for it in sorted(folder.rglob("*")) if it.suffix in (".ogg", ".wav") and it.is_file())


def _read(path: Path) -> np.ndarray | None:
    """(N,) float32 at 16 kHz, as loud as all others; None if there is nothing in it."""
    try:
        with av.open(str(path), metadata_errors="replace") as file:
            resampler = av.AudioResampler("flt", "mono", 16000)
            blocks = [it for frame in file.decode(audio=0) for it in resampler.resample(frame)]
            blocks += resampler.resample(None)
    except (FFmpegError, IndexError):
        return None
    audio = np.concatenate([it.to_ndarray()[0] for it in blocks]) if blocks else np.zeros(0, np.float32)
    loud = np.sqrt(np.mean(audio**2)) if len(audio) else 0.0
    return np.clip(audio / loud * LOUD, -1, 1) if len(audio) > LEAST_S * 16000 and loud > SILENT else None
