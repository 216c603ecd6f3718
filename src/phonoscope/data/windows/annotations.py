"""Seed 001's windows as tables: a row a window of annotations, a csv a set."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava import LABELS, SPEAKING_AUDIBLE
from phonoscope.data.balance import BalanceParams, Kept, balance
from phonoscope.data.windows.labelled import AnnotationWindow, annotation_windows
from phonoscope.data.windows.plan import CLASSES, WindowsParams, clips_by_set, rng_of
from phonoscope.data.windows.write import check_folder, write_about
from phonoscope.store.files import whole_file
from phonoscope.store.folder import Store

LAYOUT = "ava-asd"
COLUMNS = ("recording", "track", "entity", "label", "time_s", "frame", "size_px", "times_s", "frames")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationSet:
    """The windows of one set, each with its recording's id, and what each condition left of them."""

    windows: tuple[tuple[str, AnnotationWindow], ...]
    funnel: tuple[Kept, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationPlan:
    """What is to be written."""

    store: Store
    params: WindowsParams
    sets: Mapping[str, AnnotationSet]
    left_out: Mapping[str, str] = field(default_factory=dict)  # recording -> why


def plan_annotations(store: Store, p: WindowsParams) -> AnnotationPlan:
    """Every window of annotations of a labelled store, filtered and balanced; nothing is written.

    Raises:
        UsageError: no recording has labels, a set is empty, or there is no such label to drop.
    """
    if unknown := [name for name in p.drop if name not in LABELS]:
        raise UsageError(f"no label '{unknown[0]}'; AVA has {', '.join(LABELS)}")
    clips, sets = clips_by_set(store, p, labelled=True)
    made = {}
    for split, of in sets.items():
        found = [
            (id, window, store[id].recording.height)
            for id in dict.fromkeys(clip.recording for clip in of)
            for window in _windows_of(store, id)
        ]
        made[split] = _filtered(found, split, p)
    return AnnotationPlan(store=store, params=p, sets=made, left_out=clips.left_out)


def _windows_of(store: Store, id: str) -> list[AnnotationWindow]:
    stored = store[id]
    return [*annotation_windows(stored.load("labels"), [*stored.load("tracks")], stored.recording.fps)]


def _filtered(found: Sequence[tuple[str, AnnotationWindow, int]], split: str, p: WindowsParams) -> AnnotationSet:
    rng = rng_of(p, split)
    names = np.array([window.label for _, window, _ in found], object)
    size, height = (np.array(it, np.float64) for it in ([w.size_px for _, w, _ in found], [h for *_, h in found]))
    some, first = balance(names, BalanceParams(drop=p.drop, min_face=p.min_face), rng, size, height)
    classes = CLASSES[(names[some] == LABELS[SPEAKING_AUDIBLE]).astype(int)]
    kept, second = balance(classes, BalanceParams(equal=p.balance, keep_ratio=p.ratio_of(split)), rng)
    windows = tuple((found[at][0], found[at][1]) for at in some[kept])
    if not windows:
        raise UsageError(f"no window of annotations is left in {split}: take a smaller --min-face, or drop less")
    return AnnotationSet(windows=windows, funnel=(*first, *second))


def write_annotations(plan: AnnotationPlan, root: Path) -> list[Path]:
    """`{set}_annotations.csv` of every set, whole or not at all; lists in a cell are set apart by blanks.

    Raises:
        UsageError: `root` holds something else.
    """
    check_folder(root, plan.store, LAYOUT)
    root.mkdir(parents=True, exist_ok=True)
    sets = {name: len(part.windows) for name, part in plan.sets.items()}
    write_about(root, {"layout": LAYOUT, "seed": plan.params.seed, "sets": sets, "left_out": dict(plan.left_out)})
    paths = []
    for name, part in plan.sets.items():
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(COLUMNS)
        for recording, it in part.windows:
            lists = (" ".join(map(repr, it.times_s)), " ".join(map(str, it.frames)))
            rows.writerow([recording, it.track, it.entity, it.label, it.time_s, it.frame, it.size_px, *lists])
        paths.append(root / f"{name}_annotations.csv")
        with whole_file(paths[-1]) as part_file:
            part_file.write_text(text.getvalue(), encoding="utf-8")
    return paths
