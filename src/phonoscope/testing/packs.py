"""Folders of packed clips, looked at as their readers do."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.data.pack import Packed, TalkingFaceParams, pack

VIDEOS, AUDIOS = "specified_formats/videos", "specified_formats/audios"
POSE = f"{VIDEOS}/pose_orientations/pose_data"


def packed(store: Path, to: Path, **params: Any) -> Packed:
    """What has become of the only recording of a store, packed with these settings."""
    (told,) = pack(store, to, params=TalkingFaceParams(**params)).carry_out()
    return told


def rows_of(folder: Path) -> dict[str, dict[str, str]]:
    """The rows of `clips.csv`, by clip."""
    with (folder / "clips.csv").open(newline="") as file:
        return {row["clip"]: row for row in csv.DictReader(file)}


def tree(folder: Path) -> dict[str, bytes]:
    """The content of every file, by path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def stamps(folder: Path) -> dict[str, int]:
    """When every file was written, by path."""
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def points_in(folder: Path, clip: str) -> np.ndarray:
    """Landmarks as a reader takes them, (T, 68, 2)."""
    lines = (folder / VIDEOS / "landmarks" / f"{clip}.txt").read_text().splitlines()
    return np.array([[[float(v) for v in xy.split("_")] for xy in line.split()[1:]] for line in lines])
