"""Weights files: what torch reads of them, we read; what a file would run, is not run."""

import builtins
import collections
import contextlib
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.models.state_dicts import read_state_dict, recognised, strict

torch = pytest.importorskip("torch")

DTYPES = ("float32", "float16", "float64", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
NAMES = st.text("abc.é_0", min_size=1, max_size=6)


@st.composite
def tensors(draw: st.DrawFn) -> Any:
    """Tensors of every kind that weights have: views with offsets and strides, transposed, repeated, empty."""
    dtype = getattr(torch, draw(st.sampled_from(DTYPES)))
    shape = draw(st.lists(st.integers(0, 4), max_size=3))
    tensor = (torch.arange(2 + int(np.prod(shape))) % 2 * 3)[1:-1].reshape(shape).to(dtype)
    change = draw(st.sampled_from(("none", "transposed", "stepped", "repeated", "parameter")))
    if change == "parameter" and dtype.is_floating_point:
        return torch.nn.Parameter(tensor)
    if change == "transposed" and tensor.ndim > 1:
        return tensor.transpose(0, 1)
    if change == "stepped" and tensor.ndim:
        return tensor[::2]
    return tensor[None].expand(3, *tensor.shape) if change == "repeated" else tensor


def same(ours: np.ndarray, theirs: Any) -> bool:
    witness = theirs.detach()
    witness = (witness.float() if witness.dtype == torch.bfloat16 else witness).numpy()
    return ours.dtype == witness.dtype and ours.shape == witness.shape and np.array_equal(ours, witness)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "before-1.6"])
@given(saved=st.dictionaries(NAMES, tensors(), min_size=1, max_size=4))
def test_every_state_dict_reads_as_torch_reads_it(
    legacy: bool, saved: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("saved") / "weights.pth"
    torch.save(collections.OrderedDict(saved), path, _use_new_zipfile_serialization=not legacy)
    ours, theirs = read_state_dict(path), torch.load(path, weights_only=True)
    assert list(ours.tensors) == list(theirs) == list(saved)
    assert all(same(ours.tensors[name], theirs[name]) for name in theirs)
    assert ours.about == {}


@given(saved=st.dictionaries(NAMES, tensors(), min_size=1, max_size=4))
def test_safetensors_read_as_their_own_package_reads_them(
    saved: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from safetensors.torch import load_file, save_file

    path = tmp_path_factory.mktemp("saved") / "weights.safetensors"
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in saved.items()}, path)
    ours, theirs = read_state_dict(path), load_file(path)
    assert set(ours.tensors) == set(theirs)
    assert all(same(ours.tensors[name], theirs[name]) for name in theirs)


def test_a_network_with_its_modules_versions_reads_whole(tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    torch.save(network.state_dict(), tmp_path / "w.pth")  # an OrderedDict with the attribute _metadata
    assert list(read_state_dict(tmp_path / "w.pth").tensors) == list(network.state_dict())


def test_what_training_scripts_put_around_the_weights_comes_off(tmp_path: Path) -> None:
    weights = {"module.a": torch.ones(2), "module.b": torch.zeros(1)}
    beside = {"optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1, "on": (0, 1)}]}}
    torch.save({"epoch": 3, "state_dict": weights, **beside, "best": None, "done": True}, tmp_path / "w.pth")
    assert list(read_state_dict(tmp_path / "w.pth").tensors) == ["a", "b"]
    torch.save({"module.a": torch.ones(2), "b": torch.zeros(1)}, tmp_path / "w.pth")
    assert list(read_state_dict(tmp_path / "w.pth").tensors) == ["module.a", "b"]  # only where all names have it


def test_arrays_are_read_only_and_tensors_that_share_numbers_share_them_still(tmp_path: Path) -> None:
    row = torch.arange(6.0)
    torch.save({"all": row, "some": row[2:4], "ever": row[:1].expand(10**6)}, tmp_path / "w.pth")
    ours = read_state_dict(tmp_path / "w.pth").tensors
    assert not any(tensor.flags.writeable for tensor in ours.values())
    assert np.shares_memory(ours["all"], ours["some"])
    assert ours["ever"].strides == (0,)


def test_a_file_of_ours_says_what_it_is(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.ones(2, np.float32)}, tmp_path / "w.safetensors", {"phonoscope": '{"network": "lr-asd"}'})
    read = read_state_dict(tmp_path / "w.safetensors")
    assert read.about == {"network": "lr-asd"}
    assert read.network == "lr-asd"
    save_file({"a": np.ones(2, np.float32)}, tmp_path / "w.safetensors", {"phonoscope": "[1]"})
    with pytest.raises(UsageError, match=r"says '\[1\]' of itself .* a JSON object belongs"):
        read_state_dict(tmp_path / "w.safetensors")


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, called: Callable[..., Any], *arguments: Any) -> None:
        self.call = called, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def zipped(path: Path, pickled: bytes, records: dict[str, bytes] | None = None, how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as file:
        file.writestr("archive/data.pkl", pickled)
        for name, content in (records or {}).items():
            file.writestr(f"archive/{name}", content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_state_dict(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("protocol", [2, 4])  # 4 names with STACK_GLOBAL
@pytest.mark.parametrize(
    ("called", "arguments"),
    [
        (os.system, "touch {marker}"),
        (builtins.eval, "open({marker!r}, 'w')"),
        (builtins.exec, "open({marker!r}, 'w')"),
        (builtins.getattr, "x"),
        (os.mkdir, "{marker}"),
        (io.open, "{marker}"),
    ],
)
def test_whatever_a_file_would_run_is_named_and_not_run(
    called: Callable[..., Any], arguments: str, protocol: int, tmp_path: Path
) -> None:
    marker = tmp_path / "it ran"
    call = Calls(called, arguments.format(marker=str(marker)))
    for number, saved in enumerate((call, {"a": call}, {"a": [({"b": call},)]}, {"state_dict": {"a": call}})):
        pickled = pickle.dumps(saved, protocol)
        told = refused(zipped(tmp_path / f"{number}.zip.pth", pickled))
        assert f" {called.__qualname__}'" in told
        bare = tmp_path / f"{number}.pth"
        bare.write_bytes(pickled)
        refused(bare)
    assert not marker.exists()


def unpickled(*lines: bytes) -> bytes:
    return b"\x80\x02" + b"".join(lines) + b"."


STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK%ctQ"
REBUILD = b"}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n("


def tensor_of(count: int, offset: int, size: int, stride: int) -> bytes:
    """A pickle of {"a": tensor} over a storage of so many numbers."""
    storage = STORAGE.replace(b"%c", bytes([count]))
    shape = b"K%cK%c\x85K%c\x85\x89NtRs" % (offset, size, stride)
    return unpickled(REBUILD + storage + shape)


def test_the_hand_made_file_is_right_before_it_is_made_wrong(tmp_path: Path) -> None:
    path = zipped(tmp_path / "w.pth", tensor_of(4, 1, 2, 2), {"data/0": np.arange(4, dtype="<f4").tobytes()})
    assert read_state_dict(path).tensors["a"].tolist() == [1, 3]


def test_big_endian_files_read_alike(tmp_path: Path) -> None:
    records = {"byteorder": b"big", "data/0": np.arange(4, dtype=">f4").tobytes()}
    assert read_state_dict(zipped(tmp_path / "w.pth", tensor_of(4, 1, 2, 2), records)).tensors["a"].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("pickled", "records", "said"),
    [
        (tensor_of(4, 1, 2, 3), {"data/0": bytes(16)}, "reaches beyond"),
        (tensor_of(4, 4, 1, 0), {"data/0": bytes(16)}, "reaches beyond"),
        (tensor_of(200, 0, 200, 1), {"data/0": bytes(16)}, "16 bytes, where 800"),
        (tensor_of(4, 0, 4, 1), {"data/0": bytes(800)}, "800 bytes, where 16"),
        (tensor_of(4, 0, 4, 1), {}, "no record"),
        (tensor_of(4, 0, 4, 1).replace(b"X\x01\x00\x00\x000", b"X\x09\x00\x00\x00../../../"), {}, "no record"),
        (tensor_of(4, 0, 4, 1).replace(b"FloatStorage", b"RudeStorage"), {"data/0": bytes(16)}, "RudeStorage"),
        (tensor_of(4, 0, 4, 1)[:-1], {"data/0": bytes(16)}, "broken"),
        (unpickled(b"}X\x01\x00\x00\x00aK\x01s"), {}, "no tensor"),
        (unpickled(b"}"), {}, "no names"),
        (unpickled(b"0"), {}, "POP"),
        (unpickled(b"cos\nsystem\nX\x01\x00\x00\x00a\x81"), {}, "NEWOBJ"),
        (unpickled(b"(X\x01\x00\x00\x00aios\nsystem\n"), {}, "INST"),
        (unpickled(b"cos\nsystem\n}b"), {}, "fills something"),
        (unpickled(b"h\x07"), {}, "broken"),
        (unpickled(), {}, "broken"),
        (b"", {}, "broken"),
        (unpickled(b"]q\x00h\x00a"), {}, "no names"),  # a list that holds itself
    ],
)
def test_a_file_that_contradicts_itself_is_refused(
    pickled: bytes, records: dict[str, bytes], said: str, tmp_path: Path
) -> None:
    assert said in refused(zipped(tmp_path / "w.pth", pickled, records))


@pytest.mark.parametrize("more", [b"\x85" * 10**6, b"q\x00" + b"h\x00\x86q\x00" * 60], ids=["deep", "wide"])
def test_a_key_that_cannot_be_hashed_in_time_or_at_all_is_refused(more: bytes, tmp_path: Path) -> None:
    assert "key that is a tuple" in refused(zipped(tmp_path / "w.pth", unpickled(b"})", more, b"Ns")))


def test_a_record_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "w.pth", tensor_of(4, 0, 4, 1), {"data/0": bytes(16)})
    whole = path.read_bytes()
    at = whole.index(b"PK\x01\x02", whole.index(b"PK\x01\x02") + 1)  # the second entry of the directory
    for field, lie in ((20, 1 << 30), (24, 1 << 30), (20, 4)):
        path.write_bytes(whole[: at + field] + lie.to_bytes(4, "little") + whole[at + field + 4 :])
        refused(path)


def test_compressed_records_are_refused_before_they_unfold(tmp_path: Path) -> None:
    path = zipped(tmp_path / "w.pth", tensor_of(4, 0, 4, 1), {"data/0": bytes(1 << 20)}, zipfile.ZIP_DEFLATED)
    assert "compressed" in refused(path)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"\x80", b"PK\x03\x04", b"not weights at all", b"\x80\x02K\x01.", bytes(99)])
def test_what_is_no_file_of_weights_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "w.pth")
    assert "No such file" in refused(tmp_path / "w.safetensors")
    assert "s a directory" in refused(tmp_path)


@given(legacy=st.booleans(), where=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
def test_a_file_cut_or_changed_anywhere_reads_or_is_refused(
    legacy: bool, where: float, byte: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("saved") / "w.pth"
    torch.save({"a": torch.ones(3), "b": torch.zeros(2, 2)}, path, _use_new_zipfile_serialization=not legacy)
    whole = bytearray(path.read_bytes())
    at = int(where * len(whole))
    whole[at] = byte
    path.write_bytes(whole[:at] if cut else whole)
    with contextlib.suppress(UsageError):
        assert all(isinstance(tensor, np.ndarray) for tensor in read_state_dict(path).tensors.values())


@pytest.mark.real
@pytest.mark.parametrize("name", ["lr_asd_ava", "lr_asd_talkset", "light_asd_ava", "light_asd_talkset"])
def test_published_weights_read_as_torch_reads_them(name: str, shared_weights: Path) -> None:
    path = shared_weights / f"{name}.model"
    ours, theirs = read_state_dict(path), torch.load(path, weights_only=True, map_location="cpu")
    assert list(ours.tensors) == list(theirs)
    assert all(same(ours.tensors[key], theirs[key]) for key in theirs)
    assert ours.network == name.rpartition("_")[0].replace("_", "-")


def test_weights_must_fit_entry_for_entry() -> None:
    have = {"a": np.zeros((2, 3)), "b": np.zeros(())}
    strict(have, {"a": (2, 3), "b": ()})
    for wanted, said in (
        ({"a": (2, 3)}, "unexpected: b"),
        ({"a": (2, 3), "b": (), "c": (1,)}, "missing: c"),
        ({"a": (3, 2), "b": ()}, r"misshapen: a \(2, 3\) instead of \(3, 2\)"),
        ({str(n): () for n in range(9)}, "missing: 0, 1, 2 and 6 more; unexpected: a, b"),
    ):
        with pytest.raises(UsageError, match=said):
            strict(have, wanted, "light-asd")


def test_weights_of_another_network_are_told_by_name() -> None:
    theirs = {"model.GRU.gru_forward.weight_ih_l0": np.zeros(1)}
    assert recognised(theirs) == "light-asd"
    with pytest.raises(UsageError, match=r"lr-asd cannot take these weights: these are the weights of light-asd"):
        strict(theirs, {"a": ()}, "lr-asd")
