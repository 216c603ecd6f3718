"""The layout of AnnoTheia: a csv with a row for each stretch of speech of a face, to be looked through by people.

Source: https://github.com/joactr/AnnoTheia, whose columns these are.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.time import Span
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.folder import PackFolder
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.scenes import Scene, scene_film, scenes_of, words_between
from phonoscope.data.pack.speaking import probability, runs, scores_of, smoothed
from phonoscope.data.pack.whole import name_of, pack_whole
from phonoscope.models.backends.whisper import check_installed, loaded
from phonoscope.models.protocols import Transcriber
from phonoscope.store.recording import StoredRecording

NAME, VERSION = "annotheia", 1
ALL = "scenes.csv"
NEEDS = ("asd", "shots")  # artifacts that there must be
SAMPLE_RATE = 16000  # Hz, that a transcriber hears
COLUMNS = (
    "video", "scene_start", "sample_start", "sample_end", "duration", "speaker", "pickle_path", "transcription",
    "scene_path", "avg_confidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotheiaParams:
    """What counts as speech, and who writes down what is said."""

    min_length: int = 12  # frames; shorter stretches are left out
    threshold: float = 0.04  # probability of speaking, above which somebody speaks
    smoothing: int = 11  # frames over which probabilities are averaged
    recursive: bool = False  # average averages, as AnnoTheia does by mistake
    align_margin_s: float = 0.3  # s, by which the first word may miss the start of its stretch
    asr: str = ""  # Whisper model, such as small, or a folder with one; by default nothing is transcribed
    language: str = ""  # of what is said, as sw; by default Whisper tells it
    save_scenes: bool = False  # write a film of each scene

    def __post_init__(self) -> None:
        within("annotheia.min_length", self.min_length, 1)
        within("annotheia.threshold", self.threshold, 0, 1)
        within("annotheia.smoothing", self.smoothing, 1)
        within("annotheia.align_margin_s", self.align_margin_s, 0)
        if self.asr:
            check_installed()


def annotheia(
    stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: AnnotheiaParams
) -> Iterator[Packed]:
    """A csv of stretches of speech of one recording, and an npz with all that is known of each scene; no pickle.

    A scene is a shot in which there are clips. Times are of the recording's clock, from the start of the film.

    Raises:
        UsageError: there are no fresh scores or shots, or transcripts are wanted and faster-whisper is not installed.
    """
    material = Material(stored)
    if material.flac is not None and p.asr and stored.recording.sample_rate != SAMPLE_RATE:
        rate = stored.recording.sample_rate
        raise UsageError(f"Whisper hears {SAMPLE_RATE} samples a second, '{stored.recording.id}' has {rate}")
    if material.flac is not None:
        _check_made(stored)
    made_from = (*NEEDS, "landmarks", "audio", *(("recording",) if p.save_scenes else ()))

    def write(part: Path) -> list[str]:
        return _write(material, clips, part, _transcriber(p), p)

    yield from pack_whole(material, clips, folder, (NAME, VERSION), made_from, p, write, NEEDS)


def _check_made(stored: StoredRecording) -> None:
    """Nothing, if all that is needed has been made.

    Raises:
        UsageError: one has not, as where a corpus gave the tracks: it names the command that makes it.
    """
    if missing := [name for name in NEEDS if stored.path(name) is None]:
        said = f"'{stored.folder.name}' has no {' and no '.join(missing)}"
        raise UsageError(f"{said}: `phonoscope run {' '.join(missing)} {stored.folder.parents[1]}` makes them")


def join_scenes(folder: PackFolder) -> None:
    """`scenes.csv`: the rows of all recordings that lie in the folder, by name."""
    tables = [path.read_bytes() for path in folder.files() if path.suffix == ".csv"]
    header = (",".join(COLUMNS) + "\n").encode()
    folder.write(ALL, [header, *(table.removeprefix(header) for table in tables)])


def _write(
    material: Material, clips: Sequence[TrackClip], part: Path, transcriber: Transcriber | None, p: AnnotheiaParams
) -> list[str]:
    """The files of a recording; gives their paths."""
    video, recording = name_of(material), material.recording
    (part / video / "npz").mkdir(parents=True)
    asd, files, rows = material.stored.load("asd"), [], []
    for scene in scenes_of(material.stored.load("shots"), clips):
        path = f"{video}/npz/{video}-Scene-{scene.number + 1:03d}.npz"
        words = transcriber(material.stored.audio(scene.span)) if transcriber else []
        known: dict[str, Any] = {"words": np.array(msgspec.json.encode(words).decode())}
        film = f"{video}/scenes/{video}-Scene-{scene.number + 1:03d}.mp4" if p.save_scenes else ""
        for clip in scene.clips:
            shares = smoothed(probability(scores_of(asd, clip)), p.smoothing, p.recursive)
            known |= _known(material, clip, shares, p)
            for span in runs(shares > p.threshold, clip.span.start):
                if len(span) >= p.min_length:
                    mean = float(shares[span.start - clip.span.start : span.stop - clip.span.start].mean())
                    said = words_between(words, scene, span, recording.fps, p.align_margin_s)
                    rows.append(_row(video, scene, span, clip, recording.fps, path, said, film, mean))
        np.savez_compressed(part / path, **known)
        files.append(path)
        if film:
            (part / film).parent.mkdir(exist_ok=True)
            scene_film(material, scene.span, part / film)
            files.append(film)
    table = f"{video}/{video}.csv"
    (part / table).write_text(_as_csv(rows), encoding="utf-8")
    return [table, *files]


def _row(
    video: str, scene: Scene, span: Span, clip: TrackClip, fps: Fraction, path: str, said: str, film: str, mean: float
) -> tuple[Any, ...]:
    start, stop = (_seconds(edge / fps) for edge in (span.start, span.stop))
    duration = f"{float(len(span) / fps):.2f}"
    begun = _seconds(scene.span.start / fps)
    return (video, begun, start, stop, duration, clip.track.id, path, said, film, f"{mean:.6f}")


def _seconds(at: Fraction) -> str:
    """Seconds with as many decimals as they need, six at most."""
    return f"{float(at):.6f}".rstrip("0").rstrip(".")


def _as_csv(rows: Sequence[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(rows)
    return text.getvalue()


def _known(material: Material, clip: TrackClip, shares: np.ndarray, p: AnnotheiaParams) -> dict[str, np.ndarray]:
    """What the npz of a scene holds of one face, a row a frame, under the track's number."""
    known = {
        "frames": np.arange(clip.span.start, clip.span.stop, dtype=np.int32),
        "face_boundings": np.asarray(clip.track.box, np.float32),
        "asd_scores": shares.astype(np.float32),
        "asd_labels": (shares > p.threshold).astype(np.int8),
    }
    if (points := material.points(clip)) is not None:
        known["face_landmarks"] = np.asarray(points, np.float32)
    return {f"{clip.track.id}/{name}": values for name, values in known.items()}


def _transcriber(p: AnnotheiaParams) -> Transcriber | None:
    if not p.asr:
        return None
    return loaded(p.asr, p.language)
