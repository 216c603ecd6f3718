"""From a film to a recording: its clock, its sound on that clock, and what was odd about it."""

import hashlib
import re
import shutil
import time
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.media import Recording, Rights
from phonoscope.store.codecs import write_recording
from phonoscope.store.files import whole_file
from phonoscope.store.folder import Store
from phonoscope.store.forgotten import Forgotten, forgotten
from phonoscope.store.ledger import Known
from phonoscope.store.receipts import Receipt, write_receipts
from phonoscope.store.recording import StoredRecording
from phonoscope.store.tables import write_clock
from phonoscope.store.uri import as_uri, local_path, seen_film, sha256_of

if TYPE_CHECKING:
    from phonoscope.media.probe import Probe

VERSION = 1
GIVEN = ("recording", "clock", "audio")


def ingest(
    store: Store, source: str, known: Mapping[str, Known] | None = None, rights: Rights | None = None
) -> tuple[str, bool]:
    """Take a film into the store; the film itself is only read.

    Args:
        source: URI or path.
        known: what sources looked like when they were taken in before; an unchanged one is not read again.

    Returns:
        The recording's id, and whether anything had to be made.

    Raises:
        RecordingFailed: the film cannot be had or has no pictures; nothing of it is left in the store.
        Forgotten: the store was told to forget it.
    """
    began = time.perf_counter()
    uri = as_uri(source)
    size, mtime_ns = seen_film(uri)
    seen = (known or {}).get(uri)
    if seen and (seen.size, seen.mtime_ns) == (size, mtime_ns) and _is_whole(store.at(seen.id)):
        return seen.id, False
    path = local_path(uri)
    sha256 = sha256_of(path)
    if stone := next((it for it in forgotten(store.root) if it.sha256 == sha256), None):
        raise Forgotten(stone)
    id = id_of(path, sha256)
    folder = store.root / "recordings" / id
    key = hashlib.sha256(f"ingest {VERSION} {sha256} {store.settings.rate} {store.settings.sample_rate}".encode())
    with store.hold(id):  # two films may be one: the second finds what the first has made
        stored = store.at(id)
        receipts = stored.receipts
        if _is_whole(stored) and receipts["recording"].key == key.hexdigest()[:16]:
            _move(stored, uri)
            return id, False
        fresh = not (folder / "recording.json").exists()
        try:
            recording = _take_in(store, folder, path, uri, sha256, rights or Rights())
            seconds = round(time.perf_counter() - began, 3)
            params = {"bytes": size, "mtime_ns": mtime_ns}
            receipt = Receipt(key=key.hexdigest()[:16], step="ingest", version=VERSION, params=params, seconds=seconds)
            others = {name: other for name, other in receipts.items() if name not in GIVEN}
            write_receipts(folder, others | dict.fromkeys(given_of(recording), receipt))
        except BaseException:
            if fresh:
                shutil.rmtree(folder, ignore_errors=True)
            raise
    return id, True


def _take_in(store: Store, folder: Path, path: Path, uri: str, sha256: str, rights: Rights) -> Recording:
    """Write a recording's clock, its sound and, once they are there, what it is."""
    from phonoscope.media.audio import read_audio  # late, with all of FFmpeg: a second run never needs them
    from phonoscope.media.probe import probe

    found = probe(path, store.settings.fps, store.settings.sample_rate)
    recording = _recording(folder.name, uri, sha256, found, rights)
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / "clock.parquet") as part:
        write_clock(part, found.clock)
    if found.num_samples:
        with whole_file(folder / "audio.flac") as part:
            sound = read_audio(path, found.timeline, found.num_samples, found.sample_rate)
            write_audio(part, sound, found.sample_rate)
    with whole_file(folder / "recording.json") as part:
        write_recording(part, recording)
    return recording


def given_of(recording: Recording) -> tuple[str, ...]:
    """What ingest makes of a film: everything, but for the sound where there is none."""
    return GIVEN if recording.num_samples else GIVEN[:2]


def id_of(path: Path, sha256: str) -> str:
    """The id of the recording that a film becomes: its name as a slug, and the beginning of its content's hash."""
    return f"{slug(path.stem)}-{sha256[:8]}"


def slug(name: str, longest: int = 60) -> str:
    """A name as a short folder name that is safe everywhere: a-z, 0-9 and dashes."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")[:longest].strip("-") or "film"


def write_audio(path: Path, blocks: Iterable[np.ndarray], sample_rate: int) -> None:
    """Float sound in [-1, 1] as 16-bit mono FLAC, block by block; louder samples are clipped, no numbers are 0."""
    import soundfile

    with soundfile.SoundFile(path, "w", sample_rate, 1, "PCM_16", format="FLAC") as file:
        for block in blocks:
            loud = np.clip(np.rint(np.nan_to_num(block) * 32768.0), -32768, 32767)
            file.write(loud.astype(np.int16))


def _recording(id: str, uri: str, sha256: str, found: "Probe", rights: Rights) -> Recording:
    return Recording(
        id=id,
        source=uri,
        sha256=sha256,
        fps=found.fps,
        num_frames=found.num_frames,
        width=found.width,
        height=found.height,
        sample_rate=found.sample_rate,
        num_samples=found.num_samples,
        av_start=found.av_start,
        rights=rights,
        notes=found.notes,
    )


def _is_whole(stored: StoredRecording) -> bool:
    receipts = stored.receipts
    files = {"recording": "recording.json", "clock": "clock.parquet", "audio": "audio.flac"}
    if not {"recording", "clock"} <= set(receipts) or receipts["recording"].version != VERSION:
        return False
    return all(stored.has(file) for name, file in files.items() if name in receipts)


def _move(stored: StoredRecording, uri: str) -> None:
    """Follow a film that was moved; one that has a twin elsewhere stays where it is."""
    if stored.recording.source == uri:
        return
    try:
        _ = stored.source
    except RecordingFailed:
        with whole_file(stored.folder / "recording.json") as part:
            write_recording(part, replace(stored.recording, source=uri))
