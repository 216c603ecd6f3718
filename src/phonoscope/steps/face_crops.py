"""Face crops: each track's face, small and grey, as a speaking network sees it: what networks are trained on."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonoscope.core.align import face_crop, not_needed
from phonoscope.core.along import blank_table
from phonoscope.core.checks import within
from phonoscope.core.faces import TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import POLICIES, Crop
from phonoscope.core.media import Picture
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look, PartFolder
from phonoscope.store.codecs import FRAMES
from phonoscope.store.tables import write_track_table


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCropsParams:
    """Which crop, and how large."""

    policy: Literal["asd", "aligned", "tight"] = "asd"  # the rule; docs/steps/crops.md draws them
    size: int = 112  # px, both sides

    def __post_init__(self) -> None:
        within("face_crops.size", self.size, 1)

    @property
    def without(self) -> frozenset[str]:
        """Inputs that are not needed with these settings."""
        return not_needed(self.policy)


@step(version=1, apart=Apart())
def face_crops(
    film: Film, tracks: Tracks, landmarks: TrackArrays | None, out: PartFolder, p: FaceCropsParams
) -> Look[PartFolder]:
    """Arrays along tracks, (T, size, size) uint8 full-range grey, exactly what `asd` shows to a scorer of that policy.

    Beside them, a row a frame of a track: "missing" bool, that no landmarks say where the face is ("aligned" only);
    what stands in such a row is the place where it should be, and is to be masked: `asd` shows 0 instead. Rows are
    written as they are seen: an hour of a face takes no more memory than a second.

    Raises:
        ValueError: the film leaves out a frame of a track, or ends before one.
    """
    cut = {t.id: face_crop(t, p.policy, p.size, landmarks[t.id] if landmarks else None) for t in tracks}
    frames, starts = blank_table(tracks)
    missing = np.zeros(len(frames.track), bool)
    for id, (crop, lost) in cut.items():
        missing[starts[id] : starts[id] + len(crop)] = lost
    write_track_table(out / FRAMES, TrackTable(frames.track, frames.frame, {"missing": missing}))
    waiting = sorted((crop for crop, _ in cut.values()), key=lambda crop: crop.start, reverse=True)
    rows: list[_Rows] = []
    with ExitStack() as stack:
        batch = yield [crop.span for crop in waiting]
        while batch:
            for picture in batch:
                while waiting and waiting[-1].start <= picture.frame:
                    rows.append(stack.enter_context(_Rows(out, waiting.pop())))
                rows = [it for it in rows if it.see(picture)]
            batch = yield None
    if unfinished := [crop.track for crop in (*waiting, *(it.crop for it in rows))]:
        raise ValueError(f"the film ended before these tracks did: {', '.join(map(str, sorted(unfinished)))}")
    return out


class _Rows:
    """One track's array in the making."""

    def __init__(self, out: PartFolder, crop: Crop) -> None:
        self.crop, self.seen = crop, 0
        self.file = (out / f"{crop.track}.npy").open("wb")
        about = {"descr": "|u1", "fortran_order": False, "shape": (len(crop), *crop.size)}
        np.lib.format.write_array_header_1_0(self.file, about)

    def __enter__(self) -> "_Rows":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def see(self, picture: Picture) -> bool:
        """Cut the face out of the next picture; whether there are more to come."""
        crop = self.crop
        if picture.frame != crop.start + self.seen:
            raise ValueError(f"track {crop.track} needs frame {crop.start + self.seen}, got {picture.frame}")
        self.file.write(picture.crop_grey(crop.matrix[self.seen], crop.size, POLICIES[crop.policy].border).tobytes())
        self.seen += 1
        if self.seen == len(crop):
            self.file.close()
        return self.seen < len(crop)
