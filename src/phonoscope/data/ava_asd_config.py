"""The `config.yaml` of ava_asd (seed 001) as settings of ours, and what becomes of each of its keys."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from phonoscope.core.errors import UsageError

Setting = tuple[str, str, Callable[[Any], Any]]  # section, name, and what becomes of the value

SETTINGS: Mapping[str, Setting] = {
    "fps": ("clock", "fps", str),
    "epochs": ("train", "epochs", int),
    "batch": ("train", "batch_frames", int),
    "optimizer": ("train", "optimiser", lambda name: str(name).lower()),
    "lr": ("train", "lr", float),
    "momentum": ("train", "momentum", float),
    "decay": ("train", "step_decay", float),
    "nesterov": ("train", "nesterov", bool),
    "augment": ("train", "vary_faces", bool),
    "mode": ("train", "mode", str),
}
ALIKE = {
    "batch_size": "batch", "optimiser": "optimizer", "learning_rate": "lr", "mfcc_stride": "stride",
    "tensorboard_logdir": "tb_logdir", "early_stopping_patience": "patience", "num_epochs": "epochs",
}  # fmt: skip
FIXED: Mapping[str, tuple[Any, str]] = {
    "mfcc_window_size": (0.025, "mfcc.recipe librosa has windows of 25 ms"),
    "stride": (0.01, "mfcc.recipe librosa has a row each 10 ms"),
    "nmfcc": (13, "mfcc.recipe librosa has 13 numbers"),
    "apply_mean": (True, "ava-asd takes the mean of the sound away"),
    "apply_stddev": (True, "ava-asd divides by the deviation of the sound, never by 0"),
    "width": (100, "ava-asd is shown 100 px"),
    "height": (100, "ava-asd is shown 100 px"),
    "channels": (1, "ava-asd is shown grey"),
    "sequence_size": (1, "ava-asd has windows of one sequence"),
    "vid_frame_size": (5, "ava-asd has windows of 5 pictures"),
    "mfcc_frame_size": (20, "ava-asd has windows of 20 rows of sound"),
    "ann_stride": (4, "phonoscope windows --as ava-asd begins a window each 4 labels"),
    "dtype": ("float32", "arithmetic is float32, half precision is train.amp"),
}
ELSEWHERE: Mapping[str, str] = {
    "download_path": "nothing is downloaded: fetch AVA yourself",
    "vid_save_path": "the folder of films: phonoscope annotations … --films",
    "train_ann_dir": "phonoscope annotations FOLDER --split training",
    "test_ann_dir": "phonoscope annotations FOLDER --split test; AVA's own name for it is val",
    "extracted_path": "the store takes the place of extracted files",
    "train_annotations_full": "phonoscope windows STORE --as ava-asd --to FOLDER",
    "test_annotations_full": "phonoscope windows STORE --as ava-asd --to FOLDER",
    "train_annotations_subset": "phonoscope windows with --balance, --min-face, --drop",
    "test_annotations_subset": "phonoscope windows with --balance, --min-face, --drop",
    "start_ts": "the store has whole films: times count from their first picture",
    "eps": "the store has whole films: there is nothing to add at the ends",
    "train_keep_ratio": "phonoscope windows --keep-ratio, the first of three numbers",
    "valid_keep_ratio": "phonoscope windows --keep-ratio, the second of three numbers",
    "test_keep_ratio": "phonoscope windows --keep-ratio, the third of three numbers",
    "filter_out": "phonoscope windows --drop; upstream it does nothing",
    "filter_classes": "phonoscope windows --drop LABEL …",
    "remove_small_faces": "phonoscope windows --min-face",
    "small_face_threshold": "phonoscope windows --min-face, in px",
    "resample": "phonoscope windows --balance",
    "SPEAKING_AUDIBLE": "labels are AVA's: speaking is 1",
    "NOT_SPEAKING": "labels are AVA's: not speaking is 0",
    "SPEAKING_NOT_AUDIBLE": "labels are AVA's: it counts as not speaking",
    "main": "losses weigh 1 both, 0.4 video, 0.4 audio, as upstream's default",
    "v": "losses weigh 1 both, 0.4 video, 0.4 audio, as upstream's default",
    "a": "losses weigh 1 both, 0.4 video, 0.4 audio, as upstream's default",
    "load_weights": "phonoscope train --init",
    "weights_file": "phonoscope train --init; files of Keras are not read",
    "save_best_only": "the best model is always kept, the last one too",
    "tb_logdir": "phonoscope train --events",
    "api_key": "there is no bot",
    "chat_id": "there is no bot",
}


def settings_from(path: Path | str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Settings by section, as a TOML file of ours has them, and a line for each key that has become none.

    Raises:
        UsageError: there is no such file, it is no YAML, or it is none of ava_asd's.
    """
    import yaml

    try:
        read = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"'{path}' cannot be read as YAML: {' '.join(str(error).split())}") from None
    values = _chosen([*_leaves(read)])
    known = {*SETTINGS, *FIXED, *ELSEWHERE, "early_stopping", "patience"}
    if not known & {*values}:
        raise UsageError(f"'{path}' holds no setting of ava_asd: settings of phonoscope are written in TOML")
    made: dict[str, dict[str, Any]] = {
        "mfcc": {"recipe": "librosa", "rows_per_frame": 0},
        "asd": {"model": "ava-asd"},
        "train": {"vary_faces": False, "overlay": 0.0},
    }
    said = []
    for name, value in values.items():
        if name in SETTINGS:
            section, setting, become = SETTINGS[name]
            try:
                made.setdefault(section, {})[setting] = become(value)
            except (TypeError, ValueError):
                raise UsageError(f"'{path}': {name} = {value!r} makes no sense") from None
        elif name in FIXED:
            usual, why = FIXED[name]
            said.append(f"{name} = {value}: {why}" + ("" if value == usual else ", and nothing else: passed over"))
        elif name not in ("early_stopping", "patience"):
            said.append(f"{name} = {value}: {ELSEWHERE.get(name, 'unknown, passed over')}")
    if values.get("early_stopping"):
        made["train"]["patience"] = int(values.get("patience", 5))
    elif "patience" in values:
        said.append(f"patience = {values['patience']}: early stopping is off")
    return made, said


def _leaves(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every key with a plain value, with the groups that it stands in; how keys are grouped does not matter."""
    if isinstance(value, Mapping) and (value or not above):
        for name, inside in value.items():
            yield from _leaves(inside, (*above, str(name)))
    elif above:
        yield above, value


def _chosen(leaves: list[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    """The value of each key; of one that several optimisers have, that of the optimiser which is chosen."""
    found: dict[str, Any] = {}
    names = [(path, ALIKE.get(path[-1], path[-1]), value) for path, value in leaves]
    optimiser = next((str(value).lower() for _, name, value in names if name == "optimizer"), "")
    for path, name, value in names:
        if name not in found or optimiser in (group.lower() for group in path[:-1]):
            found[name] = value
    return found
