"""Writing window samples: the arrays of each clip, then the csv of each set, and what they are."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from phonoscope.core.checks import folder_here
from phonoscope.core.errors import UsageError
from phonoscope.data.windows.plan import SetPlan, WindowPlan
from phonoscope.data.windows.reading import ABOUT
from phonoscope.data.windows.samples import SpeakerClip
from phonoscope.data.windows.source import StoreSource
from phonoscope.data.windows.tree import CROPS, has_clip, read_faces, write_clip, write_samples
from phonoscope.flow.run import StepFailed, failure_of
from phonoscope.store.files import as_json, write_if_new
from phonoscope.store.folder import Store, must_be_empty
from phonoscope.store.ledger import Failure
from phonoscope.store.lock import alone

LIST = "clips.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenClip:
    """What has become of one clip's arrays."""

    clip: SpeakerClip
    made: bool = False  # False: they lay there whole
    failure: Failure | None = None


def check_folder(root: Path, store: Store, layout: str) -> None:
    """Nothing, if windows of a layout may be written to `root`: a new or empty folder, or one of the same layout.

    Raises:
        UsageError: it holds something else, or lies among the store's recordings.
    """
    folder_here("--to", root)
    if root.resolve().is_relative_to((store.root / "recordings").resolve()):
        raise UsageError(f"'{root}' lies among the recordings of the store: give another folder to --to")
    if root.exists() and not root.is_dir():
        raise UsageError(f"'{root}' is a file: give a new or empty folder to --to")
    if root.exists() and not (root / ABOUT).exists():
        must_be_empty(root)
    if (there := about_of(root).get("layout", layout)) != layout:
        raise UsageError(f"'{root}' holds windows in the layout '{there}': give another folder to --to")


def write_windows(plan: WindowPlan, root: Path) -> Iterator[WrittenClip]:
    """Cut the clips that a plan needs, and tell of each; then write the csv files, of the clips that are there.

    What lies there already and was made from the same is kept. A clip that fails stops no other; windows that need it
    are not written. Several processes take turns.

    Raises:
        UsageError: as `check_folder`.
    """
    check_folder(root, plan.store, "annotheia")
    root.mkdir(parents=True, exist_ok=True)
    if not (root / ABOUT).exists():
        write_about(root, {"layout": "annotheia", "window": plan.params.window})  # by it the folder is known to be ours
    with alone(root / ".lock"):
        source, failed = StoreSource(plan.store, plan.params.policy), set()
        for clip in (clip for part in plan.sets.values() for clip in part.used):
            written = _written(plan.store, source, root, clip)
            if written.failure:
                failed.add(clip)
            yield written
        _write_lists(plan, root, failed)


def _written(store: Store, source: StoreSource, root: Path, clip: SpeakerClip) -> WrittenClip:
    try:
        if has_clip(root, clip, key := source.key(clip)):
            return WrittenClip(clip=clip)
        write_clip(root, clip, *source.faces(clip), source.mfcc(clip), key)
        return WrittenClip(clip=clip, made=True)
    except Exception as error:  # noqa: BLE001 - this clip stops, with its reason; the others go on
        failed = StepFailed("windows")
        failed.__cause__ = error
        return WrittenClip(
            clip=clip, failure=failure_of(failed, store[clip.recording].recording.source, clip.recording)
        )


def _write_lists(plan: WindowPlan, root: Path, failed: set[SpeakerClip]) -> None:
    for name in set(about_of(root).get("sets", {})) - set(plan.sets):
        (root / f"{name}.csv").unlink(missing_ok=True)  # ours, of an earlier run: readers would take it for a set
    for name, part in plan.sets.items():
        write_samples(root / f"{name}.csv", [it for it in part.samples if not {it.video, it.audio} & failed])
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["clip", "set", "speaker", "recording", "track", "start_frame", "frames", "missing"])
    for clip in (clip for part in plan.sets.values() for clip in part.used if clip not in failed):
        _, missing = read_faces(root / CROPS / f"{clip.id}.npz")
        place = [clip.recording, clip.track, clip.start, clip.num_frames, int(missing.sum())]
        rows.writerow([clip.id, clip.split, clip.speaker, *place])
    write_if_new(root / LIST, text.getvalue().encode())
    write_about(root, {"layout": "annotheia", **about(plan), "failed": sorted(clip.id for clip in failed)})


def about(plan: WindowPlan) -> dict[str, Any]:
    """What a plan's windows are, for programs: settings, and what came of each set."""
    sets = {name: _about_set(part) for name, part in plan.sets.items()}
    return {**asdict(plan.params), "sets": sets, "left_out": dict(plan.left_out)}


def _about_set(part: SetPlan) -> dict[str, Any]:
    return {
        "clips": part.clips,
        "speakers": part.speakers,
        "windows": len(part.samples),
        "drawn": dict(Counter(it.kind for it in part.samples)),
        "kinds": [asdict(it) for it in part.kinds],
        "funnel": [asdict(it) for it in part.funnel],
    }


def about_of(root: Path) -> dict[str, Any]:
    """What `windows.json` says; nothing if it is not there.

    Raises:
        UsageError: it is damaged.
    """
    try:
        return msgspec.json.decode((root / ABOUT).read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise UsageError(f"'{root / ABOUT}' is damaged ({error}): delete it and make the windows anew") from None


def write_about(root: Path, values: dict[str, Any]) -> None:
    """Write `windows.json`."""
    write_if_new(root / ABOUT, as_json(values))
