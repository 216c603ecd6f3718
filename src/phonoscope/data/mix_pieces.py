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
    number: int  # by which it is called: its row of AVSpeech's catalogue, else its place; see `Cutter.pieces`
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

    def pieces(self, voices: Sequence[Voice], by_row: bool = False) -> list[Piece]:
        """Those of all voices.

        Args:
            by_row: they are called by their rows of a catalogue; else by their place among all that are long enough,
                which does not change with what else is asked of them.
        """
        found, place = [], 0
        for voice in voices:
            spans = self._spans(voice)
            for at, (span, seen) in enumerate(zip(spans, self._seen(voice, spans), strict=True), place):
                if seen is not None:
                    found.append(Piece(voice, span, voice.row if by_row and voice.row is not None else at, seen))
            place += len(spans)
        return found

    def _spans(self, voice: Voice) -> list[Span]:
        whole, frames = voice.span, self.frames
        if len(whole) < frames:
            length_s, wanted_s = (float(it / FPS) for it in (len(whole), frames))
            self.left_out[_called(voice, whole)] = f"{length_s:.2f} s, a mixture has {wanted_s:.2f} s"
            return []
        last = whole.start if self.one_each else whole.stop - frames
        return [Span(at, at + frames) for at in range(whole.start, last + 1, frames)]

    def _seen(self, voice: Voice, spans: Sequence[Span]) -> Iterator[float | None]:
        """Share of the frames of each in which its face is there; None of those that are left out."""
        if not spans:
            return
        sound = voice.audio()
        if not np.isfinite(sound).all():
            self.left_out[_called(voice, voice.span)] = "its sound has samples that are NaN or infinite"
            yield from [None] * len(spans)
            return
        active, track = active_blocks(sound), voice.stored.load("tracks")[voice.track]
        there = seen_in(voice.stored, track)
        for span in spans:
            start, stop = ((at - voice.span.start) * FRAME for at in (span.start, span.stop))
            mine, seen = sound[start:stop], share_seen(there, track, span)
            if why := self._wanting(mine, float(active[start // BLOCK : stop // BLOCK].mean()), seen):
                self.left_out[_called(voice, span)] = why
                yield None
                continue
            if (full := (np.abs(mine) >= FULL).mean()) > CLIPPED:
                self.notes[_called(voice, span)] = f"clipped: {full:.1%} of its samples are at full scale"
            yield seen

    def _wanting(self, sound: np.ndarray, heard: float, seen: float) -> str:
        if not sound.any():
            return "digital silence"
        if heard < self.min_active:
            return f"the voice is heard in {heard:.0%} of it"
        return f"the face is missing in {1 - seen:.0%} of it" if 1 - seen > self.max_missing + 1e-9 else ""


def _called(voice: Voice, span: Span) -> str:
    return f"{voice.stored.folder.name} [{span.start}, {span.stop})"
