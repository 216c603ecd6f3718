"""How far sound is from picture: a flash and a beep that begin together, read back from awkward films."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import av
import numpy as np

from bench.edits import cut_start
from bench.table import Row, Table, at_most
from phonoscope.core.geometry import Crop, Crops
from phonoscope.flow.ingest import ingest
from phonoscope.flow.streams import Film, PartFolder, look
from phonoscope.media.video import decode
from phonoscope.steps.crop_video import CropVideoParams, crop_video
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording
from phonoscope.testing.film import Truth, flash_and_beep, is_white, number_in, onsets_s, wavering_times

SIDE = 96  # px, of the films
FIRST = 10  # frame of the recording with which crop videos begin
EVENTS_S = (Fraction(101, 100), Fraction(2017, 1000), Fraction(3033, 1000))
RATES = {
    "23.976": Fraction(24000, 1001),
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
    "variable, steps of 10 to 40 ms": None,
    "variable, steps of 10 to 90 ms": None,
}
LENGTH_S = Fraction(4)
WAYS = {
    "plain": {},
    "picture 0.5 s late": {"video_late_s": Fraction(1, 2)},
    "sound 0.4 s late": {"audio_late_s": Fraction(2, 5)},
    "B-frames": {"b_frames": 3},
    "the first 12 pictures cut by edit list": {},
}

Errors = dict[tuple[str, str], tuple[float, float]]  # (rate, way) -> worst error, and of it what no grain explains, s


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What was read of a film."""

    at_s: Sequence[float]  # when each picture is shown
    greys: Sequence[np.ndarray]  # the pictures, (h, w) uint8
    sound: np.ndarray  # (N,)
    rate: int  # Hz
    starts_s: float = 0.0  # when the sound starts


def measure() -> list[Table]:
    """Worst distance, at the flashes, between when a picture is shown and when the sound says it should be."""
    stored: Errors = {}
    cropped: Errors = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder) / "store")
        for number, case in enumerate(product(RATES, WAYS)):
            film = Path(folder) / f"film-{number}.mp4"
            truth = _film(film, *case)
            recording = store[ingest(store, str(film))[0]]
            stored[case] = _error_s(truth, _read(recording))
            cropped[case] = _error_s(truth, _played(_crop_video(recording, Path(folder))))
    return [_table(stored, cropped)]


def _table(stored: Errors, cropped: Errors) -> Table:
    rows = []
    for what, errors in (("Store.frames and Store.audio", stored), ("crop video", cropped)):
        near = max(error for (rate, _), (error, _) in errors.items() if not rate.endswith("90 ms"))
        beyond = max(beyond for _, beyond in errors.values())
        rows.append(at_most(f"{what}: worst, pictures at most 42 ms apart", 1000 * near, 20, " ms"))
        rows.append(at_most(f"{what}: worst beyond half a step of the source", 1000 * beyond, 1, " ms"))
    for at, names in enumerate((RATES, WAYS)):
        for name in names:
            here, there = (1000 * max(e for key, (e, _) in it.items() if key[at] == name) for it in (stored, cropped))
            rows.append(Row(name if at else f"{name} fps" if RATES[name] else name, f"{here:.1f} / {there:.1f} ms"))
    notes = (
        f"{len(RATES)} rates × {len(WAYS)} ways, {len(EVENTS_S)} flashes each, onto a clock of 25 fps whose ticks show "
        "the nearest picture: half a step of the source is the least that can be promised, 45 ms where pictures are "
        "90 ms apart. By rate and by way: Store / crop video.",
    )
    return Table("Sound against picture", rows, notes)


def _film(path: Path, rate: str, way: str) -> Truth:
    fps = RATES[rate]
    times_s = None if fps else wavering_times(LENGTH_S, longest_ms=int(rate.split()[-2]))
    base = Fraction(1, 90000 if fps else 1000)
    truth = flash_and_beep(
        path, fps=fps, times_s=times_s, duration_s=LENGTH_S, time_base=base, size=(SIDE, SIDE), events_s=EVENTS_S,
        **WAYS[way],
    )  # fmt: skip
    if way.endswith("edit list"):
        cut_start(path, truth.pts_s[12])
    return truth


def _error_s(truth: Truth, read: Read) -> tuple[float, float]:
    """Worst error of the pictures with which flashes begin, by the beeps, and of it what no grain explains, s."""
    seen = [(at, is_white(grey), number_in(grey)) for at, grey in zip(read.at_s, read.greys, strict=True)]
    flashes = [(at, number) for (_, before, _), (at, white, number) in pairwise(seen) if white > before]
    beeps = [read.starts_s + onset for onset in onsets_s(read.sound, read.rate)]
    if len(flashes) != len(EVENTS_S) or len(beeps) != len(EVENTS_S):
        raise RuntimeError(f"{len(EVENTS_S)} flashes and beeps were filmed, {len(flashes)} and {len(beeps)} found")
    errors, beyond = [], []
    for (at, number), heard, beep in zip(flashes, beeps, truth.beeps_s, strict=True):
        errors.append(abs((at - heard) - float(truth.pts_s[number] - beep)))
        grain = max(float(b - a) for a, b in pairwise(truth.pts_s[number - 1 : number + 2])) / 2
        beyond.append(max(0.0, errors[-1] - grain))
    return max(errors), max(beyond)


def _read(stored: StoredRecording) -> Read:
    about = stored.recording
    at_s = [float(k / about.fps) for k in range(about.num_frames)]
    return Read(at_s, list(stored.frames()[..., 1]), stored.audio(), about.sample_rate)


def _crop_video(recording: StoredRecording, folder: Path) -> Path:
    """A crop video of the whole picture, from frame FIRST to the end."""
    about = recording.recording
    matrix = np.tile(np.eye(2, 3) * 224 / SIDE, (about.num_frames - FIRST, 1, 1))
    crops = Crops((Crop(0, FIRST, matrix, (224, 224), "asd"),))
    out = PartFolder(folder)
    looker = crop_video(Film(about), crops, recording.load("audio"), about, out, CropVideoParams())
    look(lambda spans: decode(recording.source, recording.clock, spans), {"crop_video": looker})
    return folder / "0.mp4"


def _played(path: Path) -> Read:
    """A film as a player has it."""
    with av.open(str(path)) as film:
        pictures = [
            (frame.time or 0.0, frame.to_ndarray(format="gray")) for frame in film.decode(film.streams.video[0])
        ]
    with av.open(str(path)) as film:
        sound = [
            (frame.time or 0.0, frame.to_ndarray()[0], frame.sample_rate)
            for frame in film.decode(film.streams.audio[0])
        ]
    start_s, _, rate = sound[0]
    at_s, greys = zip(*pictures, strict=True)
    return Read(at_s, greys, np.concatenate([block for _, block, _ in sound]), rate, start_s)
