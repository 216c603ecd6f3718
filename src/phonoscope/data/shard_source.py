"""Arrays of clips straight out of tar shards, for networks that see faces and hear voices: what a store would give."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.mfcc import fit_rows, mfcc
from phonoscope.core.time import Span
from phonoscope.corpora.ava import SPEAKING_AUDIBLE
from phonoscope.data.kept import Kept
from phonoscope.data.pack.members import FACES, LABELS, SOUND, policy_of
from phonoscope.data.pack.shard_folder import MANIFEST
from phonoscope.data.shard_reading import Place, mapped, read_about, read_sample
from phonoscope.data.split import set_named
from phonoscope.data.windows.clips import SAMPLE_RATE
from phonoscope.data.windows.samples import ROWS, SpeakerClip
from phonoscope.data.windows.source import SIZE


class ShardSource:
    """Clips of a folder of shards: faces, sound, what is said of every frame. Threads may share one.

    `clips` are those that have sound, and faces by `policy`; `places` is where each of them lies, by its id.

    Raises:
        UsageError: no clip has both, or faces are cut in one way here and in another there.
    """

    def __init__(self, folder: Path, places: Iterable[Place]) -> None:
        every = [*places]
        seen = [(it, policy) for it in every for policy in [_policy(it)] if policy and SOUND in it.files]
        if not seen:
            raise UsageError(
                f"none of the {len(every)} clips of '{folder}' has faces and sound to learn from: `phonoscope run "
                "face_crops STORE` cuts faces; then pack again"
            )
        if len(policies := {policy for _, policy in seen}) > 1:
            again = "`phonoscope run face_crops STORE --face-crops.policy asd` makes them alike; then pack again"
            raise UsageError(f"faces of '{folder}' are cut by {' and '.join(sorted(policies))}: {again}")
        self.folder, self.policy = folder, policies.pop()
        clips = [(_clip(it), it) for it, _ in seen]
        self.places = {clip.id: place for clip, place in clips}
        self.clips = tuple(sorted((clip for clip, _ in clips), key=lambda clip: clip.id))
        self._kept = Kept()

    @cached_property
    def sha256(self) -> Mapping[str, str]:
        """What each shard holds, in hex digits; none of a folder without its manifest."""
        path = self.folder / MANIFEST
        told = msgspec.json.decode(path.read_bytes()) if path.exists() else {"shards": ()}
        return {it["file"]: it["sha256"] for it in told["shards"]}

    def key(self, clip: SpeakerClip) -> str:
        """What the arrays of a clip depend on, as text: equal keys mean equal arrays."""
        shard = self.places[clip.id].shard
        return f"{shard} {self.sha256.get(shard, '')}"

    def faces(self, clip: SpeakerClip) -> tuple[np.ndarray, np.ndarray]:
        """Faces (T, 112, 112) uint8 grey, and in which frames there is none, (T,) bool; these are 0.

        Raises:
            UsageError: they are of another size.
        """
        faces, missing = self._kept.get((clip.id, "faces"), lambda: self._faces(clip))
        return faces, missing

    def mfcc(self, clip: SpeakerClip) -> np.ndarray:
        """MFCC of the clip's own sound by the recipe "psf", (4T, 13) float64, filled up from its start."""
        return self._kept.get((clip.id, "mfcc"), lambda: (self._mfcc(clip),))[0]

    def labels(self, clip: SpeakerClip) -> np.ndarray:
        """What is said of every frame, (T,) int8: 1 speaks, 0 does not or is not heard, -1 nobody has said."""
        said = mapped(self.folder, self.places[clip.id], LABELS)
        return np.where(said < 0, np.int8(-1), (said == SPEAKING_AUDIBLE).astype(np.int8))

    def audio(self, clip: SpeakerClip, start: int, stop: int) -> np.ndarray:
        """The samples (N,) float32 at 16 kHz under the frames [start, stop) of a clip.

        Raises:
            UsageError: it is at another rate.
        """
        (whole,) = self._kept.get((clip.id, "sound"), lambda: (self._sound(clip),))
        under, own = (
            Span(clip.start + a, clip.start + b).samples(self.fps(clip), SAMPLE_RATE)
            for a, b in ((start, stop), (0, clip.num_frames))
        )
        return whole[under.start - own.start : under.stop - own.start]

    def fps(self, clip: SpeakerClip) -> Fraction:
        """Its frames a second."""
        return Fraction(read_about(self.folder, self.places[clip.id]).fps)

    def speaking(self, clip: SpeakerClip) -> int:
        """Frames in which it is said to speak."""
        told = read_about(self.folder, self.places[clip.id]).speaking
        return sum(it.stop - it.start for it in told or ())

    def _faces(self, clip: SpeakerClip) -> tuple[np.ndarray, np.ndarray]:
        faces = mapped(self.folder, self.places[clip.id], FACES.format(self.policy))
        if faces.shape != (clip.num_frames, SIZE, SIZE):
            again = f"`phonoscope run face_crops STORE --face-crops.size {SIZE}`, then pack again"
            raise UsageError(f"'{clip.id}' has faces {faces.shape}, networks see {SIZE} x {SIZE} px: {again}")
        if self.policy != "aligned":  # by any other rule every frame has a face, be it black
            return faces, np.zeros(len(faces), bool)
        return faces, np.asarray(~faces.any((1, 2)))

    def _sound(self, clip: SpeakerClip) -> np.ndarray:
        sample = read_sample(self.folder, self.places[clip.id], (SOUND,))
        if sample.about.sample_rate != SAMPLE_RATE:
            has = f"'{clip.id}' has {sample.about.sample_rate}"
            raise UsageError(f"networks hear {SAMPLE_RATE} samples a second, {has}: pack a store of that rate")
        return sample.arrays[SOUND]

    def _mfcc(self, clip: SpeakerClip) -> np.ndarray:
        made = mfcc(self.audio(clip, 0, clip.num_frames), SAMPLE_RATE, "psf", self.fps(clip)).values
        return fit_rows(made, ROWS * clip.num_frames)


def _policy(place: Place) -> str:
    return next(filter(None, map(policy_of, place.files)), "")


def _clip(place: Place) -> SpeakerClip:
    """A packed clip as one of a store; somebody whom no corpus names is whoever is in that film."""
    named = not place.speaker.startswith(f"{place.recording}:")
    speaker, split = place.speaker if named else place.recording[-8:], set_named(place.split)
    id = f"{split}/{speaker}/{place.clip}"
    return SpeakerClip(id, speaker, split, place.frames, place.recording, place.track, place.start)
