"""Face embeddings as the seeds' separation networks read them: a `.npy` a clip, a row a frame, 25 a second."""

from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.store.files import whole_file

ENDING = "_face_emb.npy"  # after the number of the clip, five digits: 00017_face_emb.npy


def write_face_embeddings(path: Path, rows: np.ndarray) -> None:
    """Embeddings (T, D) as (T, 1, D) float64, which is how they lie there.

    Raises:
        ValueError: they are no such rows, or some are not known.
    """
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError(f"expected finite rows (T, D), got {rows.shape} with {np.isnan(rows).sum()} NaN")
    with whole_file(path) as part, part.open("wb") as file:
        np.save(file, rows[:, None].astype("<f8"), allow_pickle=False)


def read_face_embeddings(path: Path) -> np.ndarray:
    """The embeddings (T, D) float32 of such a file, whoever has written it.

    Raises:
        UsageError: there is no such file, or it holds something else.
    """
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        said = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UsageError(f"cannot read the embeddings in '{path}': {said}") from None
    if not isinstance(rows, np.ndarray) or rows.ndim != 3 or rows.shape[1] != 1 or rows.dtype.kind != "f":
        found = f"{rows.shape} {rows.dtype}" if isinstance(rows, np.ndarray) else "several arrays"
        raise UsageError(f"'{path}' must hold embeddings (T, 1, D) of floats, such as (75, 1, 1792), got {found}")
    return rows[:, 0].astype(np.float32)
