"""Who speaks in `bench separation`: real voices that move the mouths of puppets, made-up ones, and real talking heads.

What was drawn or cut out is kept in .cache/bench, as rows of lips by sound; it is remade if it is deleted.
"""

import csv
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import soundfile
import soxr

from bench.asd_scenes import DATA, clips
from bench.films import kept
from bench.separation_training import FRAME, LEVEL, People, Spoken
from phonoscope.core.errors import UsageError
from phonoscope.data.espeak.speaking import speak
from phonoscope.models.backends.mouth import Mouth
from phonoscope.testing.puppet.driven import crops, driven

SAMPLE_RATE = 16000
LEAST, MOST = 1.5, 10.0  # s, of a stretch; longer ones are cut
YAW_DEG = 15.0  # how far puppets are turned, at most, to either side
FILMED = {"ls_demo1": "latentsync_demo1", "ls_demo3": "latentsync_demo3"}  # heads whose voices are among the recorded
SAID = (
    "The boat was painted blue before the summer came. We open every window when the wind is warm. "
    "Four of them waved from the bridge, and somebody shouted back. A few old maps were found behind the piano. "
    "My mother always makes more bread than we could ever eat. Please move both of the boxes away from the fire.",
    "Where have you been all morning? The first bus leaves at half past five. Both lamps burned through the night. "
    "Nobody believed what the baker had heard. Five brown foxes followed the river up to the farm. "
    "We ought to ask about the weather before we walk over the moor.",
)
MADE_UP = (
    "en-us+m1", "en-us+f1", "en-gb+m3", "en-gb+f2", "en-us+m7", "en-us+f4", "en-gb-scotland+m4", "en-us+f5",
    "en-gb+m6", "en-us+klatt2", "en-gb+f3", "en-us+m2",
)  # fmt: skip


def recorded() -> People:
    """Real people's voices of ../shared/data/e_clean_speech and d_alignment, each with a puppet's lips."""
    found: dict[str, list[Spoken]] = {}
    for who, sound in _recorded():
        for number, piece in enumerate(_pieces(sound)):
            found.setdefault(who, []).append(_drawn(f"{who}/{number}/{len(found.get(who, []))}", piece))
    return found


def made_up() -> People:
    """Voices of espeak-ng with puppets' lips; nobody where it is not installed."""
    found: dict[str, list[Spoken]] = {}
    for number, voice in enumerate(MADE_UP):
        try:
            sound, _ = speak(SAID[number % len(SAID)], voice)
        except UsageError:
            continue
        found[voice] = [_drawn(f"{voice}/{at}", piece) for at, piece in enumerate(_pieces(sound))]
    return found


def drawn_from(folder: Path) -> list[Spoken]:
    """All sounds of a folder, of one speaker, with a puppet's lips."""
    sounds = [(path, _sound(path)) for path in sorted(folder.glob("*.wav"))]
    return [
        _drawn(f"{folder.name}/{path.name}/{at}", piece) for path, it in sounds for at, piece in enumerate(_pieces(it))
    ]


def filmed() -> People:
    """The real talking heads of ../shared/data/a_talking_head: what their mouths do, as the pipeline sees them."""
    with (DATA / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith("a_talking_head/")]
    path = kept("separation-heads.npz", lambda to: _write_heads(sorted({row["speakers"] for row in rows}), to))
    found: dict[str, list[Spoken]] = {}
    with np.load(path) as file:
        for name in sorted({key.partition("|")[0] for key in file}):
            who = str(file[f"{name}|person"])
            found.setdefault(who, []).append(Spoken(file[f"{name}|sound"], file[f"{name}|rows"]))
    return found


def _write_heads(people: list[str], to: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        every = clips(people, Path(folder))
    told = {}
    for clip in every:
        told |= {f"{clip.name}|person": np.array(clip.person), f"{clip.name}|sound": clip.voice}
        told |= {f"{clip.name}|rows": Mouth()(clip.faces)}
    np.savez(to, **told)


def _recorded() -> Iterator[tuple[str, np.ndarray]]:
    """Who, and sound (N,) float32 at 16 kHz; digits of one person one after another."""
    with (DATA / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        listed = [row for row in csv.DictReader(file) if Path(row["path"]).suffix in (".wav", ".flac", ".mp3")]
    digits: dict[str, list[np.ndarray]] = {}
    for row in listed:
        path, who = DATA / row["path"], row["speakers"] or Path(row["path"]).stem
        if row["category"][0] not in "de" or who in ("several", *FILMED.values()):
            continue
        if who == "meeting":
            yield from _alone(path)
        elif who.startswith("fsdd"):
            digits.setdefault(who, []).append(_sound(path))
        else:
            yield who, _sound(path)
    for who, sounds in digits.items():
        yield who, np.concatenate(sounds)


def _alone(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """What of a meeting one person says alone, by its RTTM."""
    lines = (DATA / "e_clean_speech/ami_debug.train.rttm").read_text(encoding="utf-8").splitlines()
    turns = [words for words in map(str.split, lines) if f"ami_{words[1]}" == path.stem]
    sound = _sound(path)
    speaking = np.zeros((len(turns), len(sound)), bool)
    for at, words in zip(speaking, turns, strict=True):
        start, length = (round(float(word) * SAMPLE_RATE) for word in words[3:5])
        at[start : start + length] = True
    for at, words in zip(speaking, turns, strict=True):
        alone = np.flatnonzero(at & (speaking.sum(0) == 1))
        for run in np.split(alone, np.flatnonzero(np.diff(alone) > 1) + 1) if len(alone) else []:
            yield f"ami_{words[7]}", sound[run[0] : run[-1] + 1]


def _sound(path: Path) -> np.ndarray:
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = sound.mean(1)
    return mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE).astype(np.float32)


def _pieces(sound: np.ndarray) -> Iterator[np.ndarray]:
    """Stretches of at most ten seconds, of whole frames; what is too short is left out."""
    count = max(1, -(-len(sound) // round(MOST * SAMPLE_RATE)))
    for piece in np.array_split(sound, count):
        if len(piece) >= LEAST * SAMPLE_RATE:
            yield piece[: len(piece) // FRAME * FRAME]


def _drawn(name: str, sound: np.ndarray) -> Spoken:
    """A stretch with the lips of a puppet that says it; its looks and manner go by its name."""
    sound = (sound * (LEVEL / max(float(sound.std()), 1e-6))).astype(np.float32)
    seed = int(sha256(name.encode()).hexdigest()[:6], 16)
    digest = sha256(sound.tobytes() + name.encode()).hexdigest()[:16]
    path = kept(f"separation-{digest}.npy", lambda to: np.save(to, _rows(sound, seed)))
    return Spoken(sound, np.load(path))


def _rows(sound: np.ndarray, seed: int) -> np.ndarray:
    cv2.setNumThreads(1)
    yaw = float(np.random.default_rng([seed, 0x5A3]).uniform(-YAW_DEG, YAW_DEG))
    return Mouth()(crops(driven(sound, seed), seed, len(sound) // FRAME, yaw))
