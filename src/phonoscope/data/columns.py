"""What the columns of a selection are called, and which step measures them."""

from collections.abc import Mapping

TEXT = ("recording", "source", "licence", "consent", "origin")
WHOLE = ("track", "start_frame", "stop_frame", "width", "height", "faces")

ALWAYS = (
    "recording", "source", "track", "start_frame", "stop_frame", "start_s", "stop_s", "duration_s", "fps",
    "width", "height", "licence", "consent", "origin", "faces", "observed", "size_px", "size_px_min", "size_px_max",
    "confidence", "confidence_min", "confidence_max",
)  # fmt: skip
"""What every track has, from its recording and from `tracks`."""

ONCE: Mapping[str, str] = {"speaking": "asd", "score": "asd", "voice": "vad", "missing": "landmarks"}
"""One number a track, and the artifact that it comes from."""

OWN = {
    "landmarks": {"score": "landmark_score"},
    "quality": {name: name for name in ("blur", "brightness", "contrast")},
    "pose": {name: name for name in ("yaw_deg", "pitch_deg", "roll_deg")},
    "motion": {
        name: name for name in ("angular_deg_s", "yaw_deg_s", "pitch_deg_s", "roll_deg_s", "translation_widths_s")
    },
    "mouth": {"opening": "opening", "width": "mouth_width", "lower_face": "lower_face"},
    "hands": {"hands": "hands"},
}
REPEATS = {("quality", name) for name in ("faces", "size_px", "confidence")}  # `tracks` says the same


def name_of(artifact: str, column: str) -> str:
    """What a column of an artifact that varies along tracks is called: ours by itself, others `<artifact>_<column>`."""
    return OWN.get(artifact, {}).get(column) or f"{artifact}_{column}"


def spread(name: str) -> tuple[str, str, str]:
    """The three columns of what varies along a track: its median, its least, its most."""
    return name, f"{name}_min", f"{name}_max"


MADE_BY: Mapping[str, str] = {
    **ONCE,
    **{end: artifact for artifact, own in OWN.items() for name in own.values() for end in spread(name)},
}
"""The columns that our steps measure, and the artifact that each comes from."""
