"""Fine-tuning from published weights, on a few minutes of film: how well windows of people not seen are told, and CPU.

LR-ASD begins with its AVA weights, whose windows are of one person at a time. It learns windows of shared clips: a face
with its own voice, shifted, or with another's. What sees keeps its weights, and is
asked about each face once.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from time import process_time

from bench.table import Row, Table, at_least, at_most
from phonoscope import prepare
from phonoscope.data.split import TEST, TRAINING, VALIDATION
from phonoscope.job import params_from
from phonoscope.tasks.asd.figures import figures
from phonoscope.tasks.asd.judging import judge_of, judged
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams
from phonoscope.tasks.asd.presets import preset
from phonoscope.tasks.asd.training import plan, train_asd

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "a_talking_head"
PEOPLE = {  # who is in which clips; nobody is in two sets
    TRAINING: {
        "voxA": ("voxceleb2_00002.mp4", "voxceleb2_517600055.mp4"), "voxE": ("voxceleb2_00098.mp4",),
        "voxI": ("voxceleb2_681100216.mp4",), "katie_hill": ("hdtf_KatieHill.mp4",),
        "ls_demo1": ("latentsync_demo1.mp4",), "retalk1": ("retalking_face1.mp4",), "bbaf2n": ("grid_bbaf2n.mpg",),
        "lrwp9a": ("grid_lrwp9a.mpg",),
    },
    VALIDATION: {"voxG": ("voxceleb2_00473.mp4",), "theresa_may": ("may_5s.mp4",), "lbax4n": ("grid_lbax4n.mpg",)},
    TEST: {
        "voxC": ("voxceleb2_00015.mp4",), "voxK": ("voxceleb2_741400104.mp4", "voxceleb2_741400163.mp4"),
        "retalk5": ("retalking_face5.mp4",), "sbwe5n": ("grid_sbwe5n.mpg",),
    },
}  # fmt: skip
N, EPOCHS = 600, 10


def vlogs(root: Path) -> Path:
    """The clips as seed 002 has them, set/speaker/clip; they are linked, not copied."""
    for split, people in PEOPLE.items():
        for person, files in people.items():
            (root / split / person).mkdir(parents=True)
            for file in files:
                (root / split / person / file).symlink_to(DATA / file)
    return root


def measure() -> list[Table]:
    """Figures of the test people before and after, and CPU seconds of the fine-tuning."""
    if not DATA.is_dir():
        return [Table("Fine-tuning", [], ("The shared clips are not here.",))]
    with tempfile.TemporaryDirectory() as folder:
        store, run = Path(folder) / "films", Path(folder) / "run"
        job = prepare(
            [str(vlogs(Path(folder) / "vlogs"))], store, ("tracks", "face_crops"), params_from({}), corpus="vlogs"
        )
        if failed := [outcome for outcome in job.carry_out() if outcome.failure]:
            raise RuntimeError(f"{failed[0].recording}: {failed[0].failure}")
        learning, examples = preset("lr-asd", fine_tune=True)
        learning = replace(learning, epochs=EPOCHS, lr=5e-4, freeze="model.visualEncoder", workers=1)
        examples = replace(examples, n_samples=N)
        planned = plan(
            "lr-asd", store, "ava", learning=learning, examples=examples, augment=AugmentParams(vary_faces=False)
        )
        began = process_time()
        trained = train_asd(planned, run, on_progress=lambda progress: None)
        spent = process_time() - began
        wide = plan("lr-asd", store, examples=ExamplesParams(n_samples=1000)).material
        before, after = (
            figures([it.scored for it in judged(judge_of(path, "lr-asd"), wide, TEST)])
            for path in (planned.begin, trained.weights)
            if path
        )
    rows = [
        Row("window accuracy before", f"{before['window_accuracy']:.3f}"),
        at_least("window accuracy after", after["window_accuracy"], round(before["window_accuracy"], 3)),
        Row("average precision before", f"{before['ap']:.3f}"),
        at_least("average precision after", after["ap"], round(before["ap"], 3)),
        at_most("CPU of fine-tuning", spent / 60, 10, " min"),
    ]
    people = ", ".join(PEOPLE[TEST])
    note = f"LR-ASD from its AVA weights, {N} windows of 25 frames of {len(PEOPLE[TRAINING])} people, {EPOCHS} epochs."
    return [Table("Fine-tuning", rows, (note, f"Judged on 300 windows of people not seen: {people}; half are true."))]
