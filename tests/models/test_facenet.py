"""FaceNet without PyTorch: what PyTorch says of the same weights, layer by layer, and what facenet-pytorch says."""

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from phonoscope.core.errors import UsageError
from phonoscope.models import registry
from phonoscope.models.backends.facenet import FACENET, FACENET_AVGPOOL, FACENET_AVGPOOL_RAW, FaceNet, FaceNetModel
from phonoscope.models.backends.facenet_graph import POOLED, SIDE, WIDTH, entries, needed
from phonoscope.models.protocols import FaceEmbedder
from phonoscope.models.state_dicts import read_state_dict

MODELS = {"facenet": FACENET, "facenet-avgpool": FACENET_AVGPOOL, "facenet-avgpool-raw": FACENET_AVGPOOL_RAW}
NUMBERS = 23_512_224  # of its state dict, without classifier and counts of batches; facenet-pytorch's has as many
NEAR = 2e-6  # of the largest number: what float32 leaves open

Weights = Mapping[str, np.ndarray]


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Drawn, not by formula: under waves, all faces are nearly one to so deep a network."""
    rng, made = np.random.default_rng(0), {}
    for name, shape in entries().items():
        if len(shape) > 1:
            made[name] = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        else:
            low, high = (0.5, 1.5) if name.endswith(("bn.weight", "running_var")) else (-0.2, 0.2)
            made[name] = rng.uniform(low, high, shape)
    return {name: it.astype(np.float32) for name, it in made.items()}


@pytest.fixture(scope="module")
def file(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As facenet-pytorch's own file, with a classifier and counts of batches."""
    path = tmp_path_factory.mktemp("facenet") / "weights.safetensors"
    counts = {f"{name[:-12]}num_batches_tracked": np.zeros((), np.int64) for name in weights if "running_mean" in name}
    logits = {"logits.weight": np.zeros((8631, 512), np.float32), "logits.bias": np.zeros(8631, np.float32)}
    save_file({**weights, **counts, **logits}, path)
    return path


@pytest.fixture(scope="module")
def backends(file: Path) -> dict[str, FaceNet]:
    return {name: model(file) for name, model in MODELS.items()}


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)


def check_types(facenet: FaceNet) -> FaceEmbedder:
    """For the type checker."""
    return facenet


class Restated:
    """Inception-ResNet-v1 in PyTorch, written down once more, and which of its weights it has asked for."""

    def __init__(self, weights: Weights) -> None:
        self.torch: Any = pytest.importorskip("torch")
        self.weights, self.asked = weights, set[str]()

    def of(self, *names: str) -> list[Any]:
        self.asked |= {*names}
        return [self.torch.tensor(self.weights[name]) for name in names]

    def norm(self, x: Any, name: str) -> Any:
        parts = self.of(*(f"{name}.{part}" for part in ("running_mean", "running_var", "weight", "bias")))
        return self.torch.nn.functional.batch_norm(x, *parts, eps=0.001)

    def conv(self, x: Any, name: str, stride: int = 1, padding: tuple[int, int] = (0, 0)) -> Any:
        (weight,) = self.of(f"{name}.conv.weight")
        made = self.torch.nn.functional.conv2d(x, weight, None, stride, padding)
        return self.norm(made, f"{name}.bn").relu()

    def halved(self, x: Any) -> Any:
        return self.torch.nn.functional.max_pool2d(x, 3, 2)

    def block(self, x: Any, name: str, scale: float, *paddings: list[tuple[int, int]], last: bool = False) -> Any:
        branches = [self.conv(x, f"{name}.branch0")]
        for number, path in enumerate(paddings, 1):
            branch = x
            for place, padding in enumerate([(0, 0), *path]):
                branch = self.conv(branch, f"{name}.branch{number}.{place}", 1, padding)
            branches.append(branch)
        together = self.torch.cat(branches, 1)
        made = self.torch.nn.functional.conv2d(together, *self.of(f"{name}.conv2d.weight", f"{name}.conv2d.bias"))
        made = made * scale + x
        return made if last else made.relu()

    def __call__(self, x: Any) -> tuple[Any, Any]:
        """The average pool (N, 1792) and the embedding (N, 512) of pictures (N, 3, 160, 160)."""
        one, across, down = (1, 1), (0, 1), (1, 0)
        x = self.conv(self.conv(self.conv(x, "conv2d_1a", 2), "conv2d_2a"), "conv2d_2b", 1, one)
        x = self.conv(self.conv(self.conv(self.halved(x), "conv2d_3b"), "conv2d_4a"), "conv2d_4b", 2)
        for n in range(5):
            x = self.block(x, f"repeat_1.{n}", 0.17, [one], [one, one])
        side = self.conv(self.conv(x, "mixed_6a.branch1.0"), "mixed_6a.branch1.1", 1, one)
        sides = [self.conv(x, "mixed_6a.branch0", 2), self.conv(side, "mixed_6a.branch1.2", 2), self.halved(x)]
        x = self.torch.cat(sides, 1)
        for n in range(10):
            x = self.block(x, f"repeat_2.{n}", 0.1, [(0, 3), (3, 0)])
        sides = [self.conv(self.conv(x, f"mixed_7a.branch{n}.0"), f"mixed_7a.branch{n}.1", 2) for n in (0, 1)]
        side = self.conv(self.conv(x, "mixed_7a.branch2.0"), "mixed_7a.branch2.1", 1, one)
        x = self.torch.cat([*sides, self.conv(side, "mixed_7a.branch2.2", 2), self.halved(x)], 1)
        for n in range(5):
            x = self.block(x, f"repeat_3.{n}", 0.2, [across, down])
        x = self.block(x, "block8", 1.0, [across, down], last=True)
        pooled = x.mean((2, 3))
        made = self.norm(pooled @ self.of("last_linear.weight")[0].T, "last_bn")
        return pooled, self.torch.nn.functional.normalize(made)


def pictures(faces: np.ndarray, name: str) -> Any:
    """Faces as PyTorch wants them, (N, 3, 160, 160): raw, or standardised as facenet-pytorch does."""
    import torch

    levels = torch.tensor(faces).permute(0, 3, 1, 2).float()
    return levels if name.endswith("raw") else (levels - 127.5) / 128.0


def near(ours: np.ndarray, theirs: Any) -> bool:
    theirs = theirs.detach().numpy()
    return ours.shape == theirs.shape and bool(np.abs(ours - theirs).max() <= NEAR * np.abs(theirs).max())


@pytest.mark.parametrize("name", MODELS)
def test_it_says_what_the_same_network_says_in_pytorch(
    name: str, backends: Mapping[str, FaceNet], weights: Weights, faces: np.ndarray
) -> None:
    network = Restated(weights)
    pooled, last = network(pictures(faces, name))
    assert near(backends[name](faces), last if name == "facenet" else pooled)
    assert network.asked == set(entries())


def test_embeddings_have_length_one_and_two_faces_have_two(backends: Mapping[str, FaceNet], faces: np.ndarray) -> None:
    made = backends["facenet"](faces)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-6)
    assert np.linalg.norm(made[0] - made[1]) > 0.01  # under these weights: agreement is no accident of one answer


@pytest.fixture
def published_code(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """facenet-pytorch's network; of the package only the file that it stands in is run: the rest wants torchvision."""
    where = find_spec("facenet_pytorch")
    if where is None or not where.submodule_search_locations:
        pytest.skip("facenet-pytorch is not installed: pip install --no-deps facenet-pytorch")
    pytest.importorskip("torch")
    pytest.importorskip("requests")
    root = Path(where.submodule_search_locations[0])
    for name, path in (("facenet_pytorch", root), ("facenet_pytorch.models", root / "models")):
        package = ModuleType(name)
        package.__path__ = [str(path)]
        monkeypatch.setitem(sys.modules, name, package)
    yield import_module("facenet_pytorch.models.inception_resnet_v1").InceptionResnetV1
    for name in [name for name in sys.modules if name.startswith("facenet_pytorch.")]:
        monkeypatch.delitem(sys.modules, name)


def test_it_says_what_facenet_pytorch_says(
    published_code: Callable[[], Any], backends: Mapping[str, FaceNet], weights: Weights, faces: np.ndarray
) -> None:
    import torch

    network = published_code().eval()
    assert {name for name in network.state_dict() if needed(name)} == set(entries())
    network.load_state_dict({name: torch.tensor(it) for name, it in weights.items()}, strict=False)
    pooled = {}
    network.avgpool_1a.register_forward_hook(lambda _, __, made: pooled.update(made=made.flatten(1)))
    for name, backend in backends.items():
        with torch.no_grad():
            last = network(pictures(faces, name))
        assert near(backend(faces), last if name == "facenet" else pooled["made"])


def test_it_has_as_many_weights_as_facenet_pytorch() -> None:
    assert sum(int(np.prod(shape)) for shape in entries().values()) == NUMBERS


@pytest.mark.parametrize("name", MODELS)
def test_a_face_gives_the_same_numbers_whatever_stands_beside_it(
    name: str, backends: Mapping[str, FaceNet], faces: np.ndarray
) -> None:
    backend = backends[name]
    made = backend(faces)
    assert (made.shape, made.dtype) == ((2, WIDTH if name == "facenet" else POOLED), np.float32)
    np.testing.assert_array_equal(backend(faces[::-1])[::-1], made)
    np.testing.assert_array_equal(backend(faces[:1]), made[:1])
    assert backend(faces[:0]).shape == (0, backend.width)


@pytest.mark.parametrize("wrong", [np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((1, SIDE, SIDE, 3), np.float32)])
def test_what_are_no_faces_is_refused(backends: Mapping[str, FaceNet], wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected faces"):
        backends["facenet"](wrong)


def test_weights_of_another_network_are_refused(tmp_path: Path, weights: Weights) -> None:
    path = tmp_path / "w.safetensors"
    save_file({name: it for name, it in weights.items() if name != "block8.conv2d.bias"}, path)
    with pytest.raises(UsageError, match=r"facenet cannot take these weights: missing: block8\.conv2d\.bias"):
        FACENET(path)
    save_file({"model.GRU.gru_forward.weight_ih_l0": np.zeros(1, np.float32)}, path)
    with pytest.raises(UsageError, match="these are the weights of light-asd"):
        FACENET(path)


def test_a_file_of_ones_own_is_known_by_what_it_holds_and_loads_by_name(file: Path) -> None:
    named = registry.spec("face_embedder", "auto", str(file))
    assert named == f"facenet:{file.resolve()}"
    assert registry.choose("face_embedder", named) == named
    own, published = registry.card_of(named), registry.card_of("facenet")
    assert (own.name, own.version) == ("facenet", "own")
    assert own.identity != published.identity
    assert registry.card_of(f"facenet-avgpool:{file}").identity.startswith("facenet-avgpool@own:")
    assert read_state_dict(file).network == "facenet"
    assert registry.load(named).card == own


@pytest.mark.parametrize(("name", "model"), MODELS.items())
def test_its_card_says_how_levels_are_scaled_and_whose_faces_it_has_learnt_from(name: str, model: FaceNetModel) -> None:
    assert registry.card_of(name) == registry.card_of(f"{name}:vggface2") == model.card
    assert ("0 to 255 as they are" if model.raw else "(level - 127.5) / 128") in model.card.input
    assert "for research" in model.card.notes
    assert model.card.sha256 == FACENET.card.sha256
