"""One sound as a page that needs no network: it is heard, its visemes are seen, and a drawn mouth speaks it."""

import base64
import tempfile
from pathlib import Path

import numpy as np

from phonoscope.core.arkit import ARKIT, arkit_poses
from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Interval
from phonoscope.core.visemes import VISEMES
from phonoscope.data.viseme_curves import curves
from phonoscope.data.viseme_job import Spoken
from phonoscope.flow.ingest import write_audio
from phonoscope.media.sound import read_sound
from phonoscope.report.page import environment
from phonoscope.store.files import whole_file

SAMPLE_RATE = 16_000  # Hz: as much as the visemes were made from
LONGEST_S = 20 * 60  # s; the sound lies in the page, which would be too much for a browser
BLOCK = SAMPLE_RATE // 100  # samples of which the level is shown
FLOOR_DB = -60.0  # of full scale: what is not louder is drawn as silence
EXAMPLES = {
    "sil": "silence", "PP": "put, bat, mat", "FF": "fat, vat", "TH": "think, that", "DD": "tip, doll",
    "kk": "call, gas", "CH": "chair, join, she", "SS": "sir, zeal", "nn": "lot, not", "RR": "red", "aa": "car",
    "E": "bed", "ih": "tip", "oh": "toe", "ou": "book",
}  # fmt: skip
# Source of the examples: Oculus, "Viseme Reference".
TONGUE = {"TH": 1.0, "DD": 0.7, "nn": 0.75, "RR": 0.35, "kk": 0.1}  # how far up its tip is; ARKit has no shape for it


def write_preview(spoken: Spoken, path: Path) -> None:
    """The page of a sound, whole; the same sound and track give the same bytes.

    Raises:
        UsageError: the sound is too long for a page.
        RecordingFailed: it cannot be read.
    """
    track = spoken.track
    length_s = float(track.rows / track.rate)
    if length_s > LONGEST_S:
        raise UsageError(
            f"a preview holds {LONGEST_S // 60} min of sound at most, this is {length_s / 60:.0f} min long"
        )
    sound, levels = _sound(spoken.sound.path)
    edges = (track.edges / float(track.rate)).tolist()
    cues = list(zip(edges[:-1], edges[1:], track.values.tolist(), strict=True))
    shown = {
        "name": spoken.sound.name,
        "sound": base64.b64encode(sound).decode(),
        "length": length_s,
        "cues": cues,
        "visemes": VISEMES,
        "examples": EXAMPLES,
        "words": _timed(spoken.said.words) if spoken.said else [],
        "data": {
            "rate": float(track.rate),
            "cues": [[start, value] for start, _, value in cues],
            "names": VISEMES,
            "poses": np.round(mouths(), 3).tolist(),
            "weights": _bytes(curves(track, track.rate)),
            "levels": _bytes(levels),
            "words": _timed(spoken.said.words) if spoken.said else [],
        },
    }  # fmt: skip
    page = environment().get_template("visemes.html").render(shown)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text(page, encoding="utf-8", newline="\n")


def mouths() -> np.ndarray:
    """How the page draws each viseme, (15, 7): jaw, width, round, upper and lower lip apart, tucked, tongue.

    In [0, 1] but for width, which is negative where the lips are narrow. From the poses of `core.arkit`.
    """
    pose = dict(zip(ARKIT, arkit_poses().T, strict=True))
    wide = pose["mouthStretchLeft"] + 0.8 * pose["mouthSmileLeft"] + 0.4 * pose["mouthDimpleLeft"]
    narrow = pose["mouthPucker"] + 0.6 * pose["mouthFunnel"]
    return np.stack([
        pose["jawOpen"], wide - narrow, np.minimum(1, pose["mouthPucker"] + pose["mouthFunnel"]),
        pose["mouthUpperUpLeft"], pose["mouthLowerDownLeft"],
        np.maximum(pose["mouthPressLeft"], pose["mouthRollLower"]),
        np.array([TONGUE.get(name, 0.0) for name in VISEMES]),
    ], 1)  # fmt: skip


def _sound(path: Path) -> tuple[bytes, np.ndarray]:
    """A FLAC file, 16 kHz and 16 bit, which every browser plays; and the level of each 10 ms, (T,) in [0, 1]."""
    blocks = list(read_sound(path, SAMPLE_RATE))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sound.flac"
        write_audio(file, blocks, SAMPLE_RATE)
        content = file.read_bytes()
    audio = np.concatenate(blocks)
    padded = np.pad(audio, (0, -len(audio) % BLOCK)).reshape(-1, BLOCK)
    decibels = 10 * np.log10(np.square(padded).mean(1) + 1e-12)
    return content, np.clip(1 - decibels / FLOOR_DB, 0, 1)


def _bytes(values: np.ndarray) -> str:
    """Numbers in [0, 1] as bytes, row by row, in base64."""
    return base64.b64encode(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8).tobytes()).decode()


def _timed(tier: tuple[Interval, ...]) -> list[tuple[float, float, str]]:
    return [(it.start_s, it.stop_s, it.text) for it in tier]
