"""How the tables of the face mesh are made: `python -m bench.landmarks_map FILMS … [--straight NAME …] [--write]`.

The map from 468 vertices to 68 points is a ridge regression onto dlib's points, averaged over moved boxes and a mirror:
each point leans towards the vertex that the field takes for it, then on its nearest vertices, then on twenty that lie
spread over the face. Weights sum to one and left mirrors right. The template is the mean mesh, made symmetric; its tilt
is such that people who are filmed straight from the front look straight ahead. What is printed was measured on people
left out of the fit; what is written is fitted on all.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.teacher import MIRROR_68, Teacher
from phonoscope import Store, prepare
from phonoscope.core.faces import Track
from phonoscope.core.media import Picture
from phonoscope.core.pose import angles_of, rotation_of
from phonoscope.core.time import Span
from phonoscope.corpora.folder import sources
from phonoscope.media.video import decode
from phonoscope.models.backends import facemesh
from phonoscope.models.backends.dlib68 import Dlib68
from phonoscope.models.follow import Follower, from_square, to_square
from phonoscope.models.protocols import FaceShape, Square
from phonoscope.models.weights import weights
from phonoscope.store.recording import StoredRecording

MOST, EVERY, TALL = 150, 3, 80  # pictures of a track; of these every third; px, faces below are left out
# The vertex that is commonly taken for each of the 68 points.
PLAIN = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389, 71, 63, 105, 66, 107, 336, 296,
    334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305, 33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380, 61,
    39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
NEAREST, SPREAD = 5, 20  # vertices that a point may lean on
PENALTY, PENALTY_SPREAD = 1e-3, 3e-3  # on squared weights; errors are in squared outer-eye distances


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Faces of films, N of them, each seen by the mesh and by the teacher."""

    who: np.ndarray  # (N,) names of people
    film: np.ndarray  # (N,) names of films
    mesh: np.ndarray  # (N, 468, 3) px
    turned: np.ndarray  # (N, 468, 3) px: the same seen in a mirror, and turned back
    plain: np.ndarray  # (N, 68, 2) px: the teacher's one answer
    points: np.ndarray  # (N, 68, 2) px: the mean of fourteen

    def units(self, points: np.ndarray) -> np.ndarray:
        """Points (N, K, 2 or more) about the middle of the outer eye corners, in their distance, (N, K, 2)."""
        eyes = self.points[:, [36, 45]].astype(np.float64)
        apart = np.linalg.norm(eyes[:, 1] - eyes[:, 0], axis=1)
        return (points[..., :2] - eyes.mean(axis=1)[:, None]) / apart[:, None, None]


class BareMesh(facemesh.FaceMesh):
    """The network before there are tables."""

    def __call__(self, image: np.ndarray) -> FaceShape:
        """Vertices for points, and no rotation."""
        mesh, score = self.see(image)
        return FaceShape(mesh[:, :2], score, mesh, np.full((3, 3), np.nan, np.float32))


def collect(films: Sequence[str]) -> Seen:
    """Every `EVERY`-th picture of the faces of all films in which both see a face."""
    network, teacher = BareMesh(weights(BareMesh.card)), Teacher(weights(Dlib68.card))
    rows: list[tuple] = []
    with tempfile.TemporaryDirectory() as folder:
        list(prepare(films, folder, ("tracks",)).carry_out())
        for id in (store := Store(folder)):
            recording = store[id]
            for track in recording.load("tracks"):
                if np.median(track.box[:, 3] - track.box[:, 1]) >= TALL:
                    rows += faces_along(recording, track, network, teacher)
            print(f"{recording.source.name}: {len(rows)} faces so far", flush=True)
    return Seen(*(np.array(column) for column in zip(*rows, strict=True)))


def faces_along(
    recording: StoredRecording, track: Track, network: BareMesh, teacher: Teacher
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """One face of a film, picture by picture, as the rows of `Seen`."""
    follower, span = Follower(network, track), Span(track.start, track.start + min(len(track), MOST))
    for picture in decode(recording.source, recording.clock, [span]):
        shape = follower.see(picture)
        if picture.frame % EVERY or not np.isfinite(shape.points).all():
            continue
        square = network.next(shape)
        if (said := teacher(picture, square)) is not None:
            names = person(recording.source), recording.source.name
            yield (*names, shape.mesh, in_mirror(network, picture, square), *said)


def person(film: Path) -> str:
    """Who is in a film: its speakers in MANIFEST.csv in a folder above, else the film's own name."""
    for folder in film.parents:
        if (folder / "MANIFEST.csv").exists():
            with (folder / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
                named = {Path(row["path"]).name: row["speakers"] for row in csv.DictReader(file)}
            return named.get(film.name) or film.name
    return film.name


def in_mirror(network: BareMesh, picture: Picture, square: Square) -> np.ndarray:
    """The mesh seen in a mirror and turned back, (468, 3) px, vertices in the mirror's order."""
    image = picture.crop_rgb(to_square(square, network.size), (network.size, network.size), 0)
    mesh, _ = network.see(np.ascontiguousarray(image[:, ::-1]))
    mesh = mesh * np.float32([-1, 1, 1]) + np.float32([network.size, 0, 0])
    return from_square(FaceShape(mesh[:, :2], 1.0, mesh, np.eye(3, dtype=np.float32)), square, network.size).mesh


def each_person_equal(who: np.ndarray) -> np.ndarray:
    """Weights (N,) that sum to one, as much for every person."""
    _, person, count = np.unique(who, return_inverse=True, return_counts=True)
    return 1 / (count[person] * len(count))


def turn_between(mesh: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, float]:
    """Rotation (3, 3) and scale that lay `rest` (K, 3) onto `mesh` (K, 3) best."""
    rest = rest - rest.mean(axis=0)
    u, size, vt = np.linalg.svd((mesh - mesh.mean(axis=0)).T @ rest)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    return (u * signs) @ vt, float((size * signs).sum() / (rest**2).sum())


def at_rest(meshes: np.ndarray, rest: np.ndarray, stable: np.ndarray) -> np.ndarray:
    """Meshes (N, 468, 3) laid onto `rest` by their stable vertices, (N, 468, 3)."""
    laid = []
    for mesh in meshes:
        turn, scale = turn_between(mesh[stable], rest[stable])
        laid.append((mesh - mesh[stable].mean(axis=0)) @ turn / scale + rest[stable].mean(axis=0))
    return np.array(laid)


def make_template(seen: Seen, straight: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A symmetric face at rest (468, 3), which vertices keep still (468,), and each vertex's mirror image (468,)."""
    from scipy.optimize import linear_sum_assignment

    share, meshes = each_person_equal(seen.who), seen.mesh.astype(np.float64)
    rest = meshes[0] - meshes[0].mean(axis=0)
    rest, stable = rest / np.sqrt((rest**2).sum(axis=1).mean()), np.ones(len(rest), bool)
    mirror = np.arange(len(rest))
    for round_ in range(6):
        laid = at_rest(meshes, rest, stable)
        rest = np.tensordot(share, laid, 1)
        for _ in range(5):
            flipped = rest * [-1, 1, 1]
            mirror = linear_sum_assignment(((flipped[:, None] - rest[None]) ** 2).sum(axis=-1))[1]
            both = (rest + flipped[np.argsort(mirror)]) / 2
            rest = rest @ turn_between(both, rest)[0].T
        rest = (rest + (rest * [-1, 1, 1])[np.argsort(mirror)]) / 2
        if round_ > 1:  # from a mean that has settled: the half that moves least within films, on both sides alike
            moved = np.mean([laid[seen.film == film].std(axis=0) for film in np.unique(seen.film)], axis=0)
            moved = np.linalg.norm(moved + moved[mirror], axis=1)
            stable = moved <= np.median(moved)
    rest -= rest[stable].mean(axis=0)
    pitch = {film: pitches(seen, film, rest, stable) for film in np.unique(seen.film)}
    chosen = [pitch[film] for film in pitch if film in straight]
    print(f"pitch of those filmed straight from the front: {np.round(chosen, 1)}")
    print(f"pitch of all films: {np.round([*pitch.values()], 1)}")
    tilt = rotation_of(np.array([0.0, np.mean(chosen), 0.0])) if chosen else np.eye(3)
    return rest @ tilt.T, stable, mirror


def pitches(seen: Seen, film: str, rest: np.ndarray, stable: np.ndarray) -> float:
    """The median pitch of a film, deg, against a template."""
    turns = [turn_between(mesh[stable], rest[stable])[0] for mesh in seen.mesh[seen.film == film].astype(np.float64)]
    return float(np.median(angles_of(np.array(turns))[:, 1]))


def spread_over(rest: np.ndarray, mirror: np.ndarray, count: int) -> list[int]:
    """Vertices as far apart as can be, each with its mirror image."""
    chosen, near = [1], ((rest - rest[1]) ** 2).sum(axis=1)
    while len(chosen) < count:
        far = int(near.argmax())
        chosen += [vertex for vertex in dict.fromkeys((far, int(mirror[far]))) if vertex not in chosen]
        near = ((rest[:, None] - rest[chosen][None]) ** 2).sum(axis=-1).min(axis=1)
    return chosen


def fit_map(seen: Seen, rows: np.ndarray, rest: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Weights (68, 468) that make the points of faces `rows` from their meshes."""
    mesh = np.concatenate([seen.units(seen.mesh)[rows], seen.units(seen.turned)[rows][:, mirror]])
    points, share = np.tile(seen.units(seen.points)[rows], (2, 1, 1)), np.tile(each_person_equal(seen.who[rows]), 2) / 4
    sides = ((mesh, points), ((mesh * [-1, 1])[:, mirror], (points * [-1, 1])[:, MIRROR_68]))
    far, made = spread_over(rest, mirror, SPREAD), np.zeros((68, len(rest)))
    for point, (plain, other) in enumerate(zip(PLAIN, MIRROR_68, strict=True)):
        if other < point:
            continue
        near = np.argsort(((rest - rest[plain]) ** 2).sum(axis=1), kind="stable")[:NEAREST].tolist()
        near = list(dict.fromkeys((plain, *near, *(mirror[near].tolist() if other == point else ()))))
        leant_on = [*near, *(vertex for vertex in far if vertex not in near)]
        row = np.zeros(len(rest))
        row[leant_on] = _ridge(sides, point, leant_on, len(near), share)
        made[point], made[other] = (row, row[mirror]) if other != point else ((row + row[mirror]) / 2,) * 2
    return made


def _ridge(
    sides: Sequence[tuple[np.ndarray, np.ndarray]], point: int, leant_on: list[int], near: int, share: np.ndarray
) -> np.ndarray:
    """Weights of some vertices, the first of them the plain one: they sum to one, and the others are kept small."""
    plain, root = leant_on[0], np.sqrt(share)[:, None, None]
    off = np.concatenate([root * (mesh[:, leant_on[1:]] - mesh[:, [plain]]) for mesh, _ in sides])
    left = np.concatenate([root[..., 0] * (points[:, point] - mesh[:, plain]) for mesh, points in sides])
    off = off.transpose(0, 2, 1).reshape(-1, len(leant_on) - 1)
    penalty = np.where(np.arange(1, len(leant_on)) < near, PENALTY, PENALTY_SPREAD)
    others = np.linalg.solve(off.T @ off + np.diag(penalty) + PENALTY, off.T @ left.ravel())
    return np.array([1 - others.sum(), *others])


def main() -> None:
    """Collect, measure on people left out, and write the tables fitted on all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="+", help="films, or folders of them")
    parser.add_argument("--straight", nargs="*", default=[], help="films of people who look straight into the camera")
    parser.add_argument("--write", action="store_true", help="write the tables into the package")
    options = parser.parse_args()
    seen = collect(sources(options.films))
    rest, stable, mirror = make_template(seen, options.straight)
    points = np.zeros(seen.points.shape)
    for name in np.unique(seen.who):
        out = seen.who == name
        points[out] = fit_map(seen, ~out, rest, mirror) @ seen.units(seen.mesh)[out]
    show("on people left out, against the mean of fourteen answers", points, seen, seen.points)
    show("the same, against one answer", points, seen, seen.plain)
    show("the plain vertices", seen.units(seen.mesh)[:, PLAIN], seen, seen.points)
    show("one answer against the mean of fourteen", seen.units(seen.plain), seen, seen.points)
    if options.write:
        write(fit_map(seen, np.ones(len(seen.who), bool), rest, mirror), rest, stable)


def show(what: str, points: np.ndarray, seen: Seen, truth: np.ndarray) -> None:
    """Print mean errors (N, 68) in % of the outer-eye distance: each person's, and the mean and median of people."""
    errors = 100 * np.linalg.norm(points - seen.units(truth), axis=-1)
    means = {name: errors[seen.who == name].mean(axis=0) for name in np.unique(seen.who)}
    table = np.array([(each[17:].mean(), each.mean()) for each in means.values()])
    print(f"{what}, points 17-67 / all 68, % of outer-eye distance:")
    for name, (inner, whole) in zip(means, table, strict=True):
        print(f"  {name:28} {inner:5.2f} / {whole:5.2f}   {(seen.who == name).sum()} faces")
    for kind, (inner, whole) in (("mean of people", table.mean(axis=0)), ("median", np.median(table, axis=0))):
        print(f"  {kind:28} {inner:5.2f} / {whole:5.2f}", flush=True)


def write(weights_68: np.ndarray, rest: np.ndarray, stable: np.ndarray) -> None:
    """Both tables, beside the backend that reads them."""
    folder = Path(facemesh.__file__).parent
    recipe = "# Made by bench/landmarks_map.py, which says how; no picture or shape of any one person is in it.\n"
    with (folder / "facemesh_68.csv").open("w", encoding="utf-8", newline="\n") as file:
        file.write(recipe + "point,vertex,weight\n")
        for point, vertex in np.argwhere(np.abs(weights_68) >= 5e-5).tolist():
            file.write(f"{point},{vertex},{weights_68[point, vertex]:.4f}\n")
    unit = np.linalg.norm(rest[facemesh.EYES[0]] - rest[facemesh.EYES[1]])
    with (folder / "facemesh_template.csv").open("w", encoding="utf-8", newline="\n") as file:
        file.write(recipe + "vertex,x,y,z,stable\n")
        for vertex, ((x, y, z), still) in enumerate(zip(rest / unit, stable, strict=True)):
            file.write(f"{vertex},{x:.4f},{y:.4f},{z:.4f},{int(still)}\n")


if __name__ == "__main__":
    main()
