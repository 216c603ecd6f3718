"""What is to be turned into visemes: sounds, films, recordings of a store; and how likely each viseme is in them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.core.errors import RecordingFailed, UsageError
from phonoscope.core.visemes import VISEMES
from phonoscope.corpora.folder import SUFFIXES as FILMS
from phonoscope.corpora.folder import files_in, is_store, sources
from phonoscope.media.sound import listened, read_sound
from phonoscope.models.protocols import VisemeScorer
from phonoscope.steps.visemes import SAMPLE_RATE, heard
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri, local_path

SOUNDS = ("aac", "ac3", "aif", "aiff", "amr", "flac", "m4a", "mka", "mp3", "oga", "ogg", "opus", "wav", "wma")


@dataclass(frozen=True, slots=True)
class Sound:
    """Something that is heard."""

    name: str  # of what is made of it, without an ending; no other sound's
    path: Path  # of the sound; of a recording, its FLAC
    stored: StoredRecording | None = None

    @property
    def duration_s(self) -> float:
        """How long it is, as far as its header tells; 0 if it does not.

        Raises:
            RecordingFailed: it cannot be opened, or there is no sound in it.
        """
        return float(self.stored.recording.duration_s) if self.stored else listened(self.path).duration_s


def sounds_of(given: Sequence[str]) -> list[Sound]:
    """Every sound meant by files, lists, folders and stores, each under a name of its own.

    A folder means the sounds and films below it, by their endings, named as they lie in it, `ana/talk`; a store, or a
    recording's folder, what was taken in. Of two with one name the second is called `name-2`.

    Raises:
        UsageError: there is none in one of them.
    """
    found = [sound for it in given for sound in _expand(it)]
    if not found:
        raise UsageError("no sound given: name sounds, films, folders or a store")
    taken = {sound.name.casefold() for sound in found}
    seen, made = set[str](), []
    for sound in found:
        name, number = sound.name, 2
        while name.casefold() in seen or (name != sound.name and name.casefold() in taken):
            name, number = f"{sound.name}-{number}", number + 1
        seen.add(name.casefold())
        made.append(Sound(name, sound.path, sound.stored))
    return made


def _expand(given: str) -> Iterator[Sound]:
    path = Path(given).expanduser()
    if is_store(path):
        store = Store(path)
        yield from (_recorded(store[id]) for id in store)
    elif (path / "recording.json").is_file():
        yield _recorded(Store(path.absolute().parents[1])[path.name])
    elif path.is_dir():
        inside = sorted(it for it in files_in(path) if it.suffix[1:].lower() in (*SOUNDS, *FILMS))
        if not inside:
            raise UsageError(f"'{given}' holds no sound or film: give a folder that does, or a store")
        yield from (Sound(it.relative_to(path).with_suffix("").as_posix(), it) for it in inside)
    else:
        for it in sources([given]):
            file = local_path(as_uri(it)) if "://" in it else Path(it)
            yield Sound(file.stem, file)


def _recorded(stored: StoredRecording) -> Sound:
    return Sound(stored.recording.id, stored.folder / "audio.flac", stored)


def scores_of(
    sound: Sound, model: str, scorer: Callable[[], VisemeScorer], on_heard: Callable[[float], object] = lambda _: None
) -> np.ndarray:
    """How likely each viseme is, (T, 15) float32 at 100 Hz; of a recording those in its store, if they are fresh.

    Args:
        model: that was asked for; what is in a store was made by it, or is taken for "auto".
        scorer: gives what listens; asked only if there is something to be heard.
        on_heard: is told how much has been heard, s.

    Raises:
        RecordingFailed: there is no sound, or it cannot be read.
    """
    if sound.stored:
        if not sound.stored.recording.num_samples:
            raise RecordingFailed("unreadable", f"recording '{sound.stored.recording.id}' has no sound")
        if "visemes" in sound.stored.fresh:
            settings = sound.stored.receipts["visemes"].params or {}
            if model in ("auto", settings.get("model")):
                return np.array(sound.stored.load("visemes").values)
        sound.stored.made("audio")
    rows = [*heard(_told(read_sound(sound.path, SAMPLE_RATE), on_heard), scorer())]
    return np.concatenate(rows) if rows else np.zeros((0, len(VISEMES)), np.float32)


def _told(blocks: Iterable[np.ndarray], on_heard: Callable[[float], object]) -> Iterator[np.ndarray]:
    samples = 0
    for block in blocks:
        samples += len(block)
        yield block
        on_heard(samples / SAMPLE_RATE)
