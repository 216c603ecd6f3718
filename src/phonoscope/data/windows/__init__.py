"""Window samples for speaking networks: drawn or read off labels, loaded, written and read back."""

from phonoscope.data.windows.annotations import AnnotationPlan, plan_annotations, write_annotations
from phonoscope.data.windows.clips import StoreClips, labelled_clips, speaker_clips, speaking_track
from phonoscope.data.windows.draw import Drawn, KindCount, draw
from phonoscope.data.windows.labelled import AnnotationWindow, annotation_windows, labelled_windows
from phonoscope.data.windows.plan import SetPlan, WindowPlan, WindowsParams, plan_windows
from phonoscope.data.windows.reading import WindowSets, read_windows
from phonoscope.data.windows.samples import (
    KINDS,
    LABELLED,
    SHARES,
    ClipSource,
    SpeakerClip,
    WindowSample,
    centres,
    frame_labels,
    min_shift,
    window_arrays,
)
from phonoscope.data.windows.source import StoreSource
from phonoscope.data.windows.tree import TreeSource, write_clip, write_samples
from phonoscope.data.windows.write import WrittenClip, about, check_folder, write_windows

__all__ = [
    "KINDS", "LABELLED", "SHARES", "AnnotationPlan", "AnnotationWindow", "ClipSource", "Drawn", "KindCount", "SetPlan",
    "SpeakerClip", "StoreClips", "StoreSource", "TreeSource", "WindowPlan", "WindowSample", "WindowSets",
    "WindowsParams", "WrittenClip", "about", "annotation_windows", "centres", "check_folder", "draw", "frame_labels",
    "labelled_clips", "labelled_windows", "min_shift", "plan_annotations", "plan_windows", "read_windows",
    "speaker_clips", "speaking_track", "window_arrays", "write_annotations", "write_clip", "write_samples",
    "write_windows",
]  # fmt: skip
