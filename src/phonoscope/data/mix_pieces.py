"""The pieces of voices that mixtures are made of: all of one length, heard in them, and seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from phonoscope.core.time import Span
from phonoscope.data.mixing import BLOCK, SAMPLE_RATE, active_blocks
from phonoscope.data.right_face import seen_in, share_seen
from phonoscope.data.voices import FPS, Voice

FRAME = int(SAMPLE_RATE / FPS)  # samples
FULL, CLIPPED = 0.999, 0.001  # of full scale; share of samples there from which a voice is called clipped


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a voice, as long as a mixture."""

    voice: Voice
    span: Span  # frames of the recording
    number: int  # by which it is called: its row of AVSpeech's catalogue, else its place among all pieces
    seen: float  # share of its frames in which the face is there

    def audio(self) -> np.ndarray:
        """Sound (N,) float32, 640 samples a frame."""
        return self.voice.stored.audio(self.span)


@dataclass(slots=True)
class Cutter:
    """Cuts voices into pieces, and remembers what it left out."""

    frames: int  # of each piece
    min_active: float  # least share of a piece in which its voice is heard
    max_missing: float  # share of its frames, up to which the face may be missing
    one_each: bool = False  # only the first piece of each voice
    left_out: dict[str, str] = field(default_factory=dict)  # piece -> why
    notes: dict[str, str] = field(default_factory=dict)  # piece -> what is odd about it

    def pieces(self, voices: Sequence[Voice]) -> list[Piece]:
        """Those of all voices; rows of a catalogue keep their number if each has one piece and no number is twice."""
        found = [(voice, *it) for voice in voices for it in self._cut(voice)]
        rows = [voice.row for voice, *_ in found]
        by_row = self.one_each and None not in rows and len({*rows}) == len(rows)
        numbers = [row for row in rows if row is not None] if by_row else range(len(found))
        return [Piece(voice, span, at, seen) for (voice, span, seen), at in zip(found, numbers, strict=True)]

    def _cut(self, voice: Voice) -> Iterator[tuple[Span, float]]:
        whole, frames = voice.span, self.frames
        if len(whole) < frames:
            length_s, wanted_s = (float(it / FPS) for it in (len(whole), frames))
            self.left_out[_called(voice, whole)] = f"{length_s:.2f} s, a mixture has {wanted_s:.2f} s"
            return
        sound = voice.audio()
        if not np.isfinite(sound).all():
            self.left_out[_called(voice, whole)] = "its sound has samples that are NaN or infinite"
            return
        active, track = active_blocks(sound), voice.stored.load("tracks")[voice.track]
        there = seen_in(voice.stored, track)
        for at in range(0, 1 if self.one_each else len(whole) - frames + 1, frames):
            span = Span(whole.start + at, whole.start + at + frames)
            mine = sound[at * FRAME : (at + frames) * FRAME]
            heard = active[at * FRAME // BLOCK : (at + frames) * FRAME // BLOCK].mean()
            seen = share_seen(there, track, span)
            if why := self._wanting(mine, heard, seen):
                self.left_out[_called(voice, span)] = why
                continue
            if (full := (np.abs(mine) >= FULL).mean()) > CLIPPED:
                self.notes[_called(voice, span)] = f"clipped: {full:.1%} of its samples are at full scale"
            yield span, seen

    def _wanting(self, sound: np.ndarray, heard: float, seen: float) -> str:
        if not sound.any():
            return "digital silence"
        if heard < self.min_active:
            return f"the voice is heard in {heard:.0%} of it"
        return f"the face is missing in {1 - seen:.0%} of it" if 1 - seen > self.max_missing + 1e-9 else ""


def _called(voice: Voice, span: Span) -> str:
    return f"{voice.stored.folder.name} [{span.start}, {span.stop})"
