"""What PyTorch has saved, read as data: no torch is needed, and nothing that the file says is ever run.

A file of `torch.save` is a pickle, which is a program, beside the raw numbers. Here the program is followed by hand:
of all that a pickle can call for, the making of dicts and of tensors is understood, and anything else is refused by
name, so that there is no way from a file to other code.

Source: the format is that of PyTorch 1.6 and later (a zip) and of those before (four pickles, then the numbers).
"""

import io
import math
import pickletools
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

STORAGES: Mapping[str, str] = {
    "torch FloatStorage": "f4", "torch DoubleStorage": "f8", "torch HalfStorage": "f2", "torch BFloat16Storage": "u2",
    "torch LongStorage": "i8", "torch IntStorage": "i4", "torch ShortStorage": "i2", "torch CharStorage": "i1",
    "torch ByteStorage": "u1", "torch BoolStorage": "u1",
}  # fmt: skip
MAGIC = 0x1950A86A20F9469CFC6C  # with which files of PyTorch before 1.6 begin
LARGEST = 1 << 40  # numbers that a tensor may seem to have, by repeating those of its storage
WRAPPED = "state_dict"  # under which training scripts keep the weights


class NotOurs(Exception):
    """The file is no file of tensors; the message says what was found in it."""


@dataclass(frozen=True, slots=True)
class _Name:
    """A class or function that a pickle names."""

    name: str  # module, blank, name


@dataclass(frozen=True, slots=True)
class _Storage:
    """A row of numbers that lies beside the pickle."""

    key: str
    kind: str  # a key of STORAGES
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage, all in elements."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def is_zip(path: Path) -> bool:
    """Whether a file begins as one of PyTorch 1.6 or later does."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def read_zip(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a state dict by name, in the file's order, as read-only arrays; bfloat16 becomes float32.

    Training scripts keep it under "state_dict", beside what else they keep: then only that is taken.

    Raises:
        NotOurs: anything else is in it, or it contradicts itself.
    """
    try:
        with zipfile.ZipFile(path) as file:
            entries = {info.filename: info for info in file.infolist()}
            roots = [name for name in entries if PurePosixPath(name).name == "data.pkl" and name.count("/") == 1]
            if len(roots) != 1:
                raise NotOurs("a zip without the pickle that torch.save puts into it")
            folder = roots[0].removesuffix("data.pkl")

            def record(name: str) -> bytes:
                info = entries.get(folder + name)
                if info is None:
                    raise NotOurs(f"no record {name!r}")
                if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                    raise NotOurs(f"record {name!r} is compressed, which torch.save never does")
                return file.read(info)

            order = ">" if folder + "byteorder" in entries and record("byteorder") == b"big" else "<"
            saved, _ = _followed(io.BytesIO(record("data.pkl")))
            return _filled(saved, lambda storage: record(f"data/{storage.key}"), order)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise NotOurs(f"a zip that does not open: {error}") from error


def read_legacy(path: Path) -> dict[str, np.ndarray]:
    """As `read_zip`, from a file that PyTorch wrote before 1.6.

    Raises:
        NotOurs: as there.
    """
    content = path.read_bytes()
    if content[:1] != b"\x80":
        raise NotOurs("neither a zip nor a pickle")
    file = io.BytesIO(content)  # unlike a file, it sets nothing aside for as many bytes as a pickle may announce
    if _followed(file)[0] != MAGIC:
        raise NotOurs("a pickle, but not one of torch.save")
    _, (system, _), (saved, storages), (keys, _) = (_followed(file) for _ in range(4))
    little = system.get("little_endian", True) if isinstance(system, dict) else True
    widths = {storage.key: np.dtype(STORAGES[storage.kind]).itemsize for storage in storages}
    numbers: dict[str, bytes] = {}
    for key in keys if isinstance(keys, list) else []:
        count = int.from_bytes(file.read(8), "little" if little else "big")
        if not isinstance(key, str) or key not in widths:
            raise NotOurs("a storage that nothing uses")
        numbers[key] = file.read(min(count * widths[key], len(content)))
    return _filled(saved, lambda storage: numbers.get(storage.key, b""), "<" if little else ">")


def widened(halves: np.ndarray) -> np.ndarray:
    """Numbers of bfloat16, given as uint16, in float32: they are the upper halves of it."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def _followed(file: IO[bytes]) -> tuple[Any, list[_Storage]]:
    """What one pickle builds, with a `_Tensor` for each tensor, and the storages that it points at.

    Raises:
        NotOurs: it asks for more than containers, plain values and tensors.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name == "STOP":
                return machine.stack.pop(), machine.storages
            machine.do(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise NotOurs(f"a pickle that is broken: {error}") from error
    raise NotOurs("a pickle without an end")


class _Machine:
    """The part of a pickle machine that tensors need: it makes containers, and calls nothing."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # what lies under each mark
        self.memo: dict[int, Any] = {}
        self.storages: list[_Storage] = []

    def do(self, opcode: str, argument: Any) -> None:
        """Follow one instruction."""
        match opcode:
            case "PROTO" | "FRAME":
                pass
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                self.stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[opcode])
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE" | "SHORT_BINUNICODE":
                self.stack.append(argument)
            case "EMPTY_DICT" | "EMPTY_LIST" | "EMPTY_TUPLE":
                self.stack.append({"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}[opcode]())
            case "MARK":
                self.below.append(self.stack)
                self.stack = []
            case "TUPLE":
                self._put(tuple(self._marked()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self._put(tuple(self._last(int(opcode[-1]))))
            case "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = self.stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = self.stack[-1]
            case "BINGET" | "LONG_BINGET":
                self._put(self.memo[argument])
            case "APPEND" | "APPENDS":
                items = self._last(1) if opcode == "APPEND" else self._marked()
                self._top(list).extend(items)
            case "SETITEM" | "SETITEMS":
                items = self._last(2) if opcode == "SETITEM" else self._marked()
                self._top(dict).update(zip(map(_key, items[::2]), items[1::2], strict=True))
            case "BUILD":  # a state dict's versions of its modules
                self.stack.pop()
                self._top(dict)
            case "GLOBAL":
                self._put(_Name(argument))
            case "STACK_GLOBAL":
                self._put(_Name(" ".join(self._last(2))))
            case "BINPERSID":
                self.storages.append(_storage(self.stack.pop()))
                self._put(self.storages[-1])
            case "REDUCE":
                called, arguments = self._last(2)
                self._put(_made(called, arguments))
            case _:
                raise NotOurs(f"a pickle with the instruction {opcode}, of which tensors have no need")

    def _put(self, value: Any) -> None:
        self.stack.append(value)

    def _last(self, count: int) -> list[Any]:
        taken = [self.stack.pop() for _ in range(count)]
        return taken[::-1]

    def _marked(self) -> list[Any]:
        taken, self.stack = self.stack, self.below.pop()
        return taken

    def _top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise NotOurs(f"a pickle that fills something that is no {kind.__name__}")
        return self.stack[-1]


def _key(name: Any) -> Any:
    """A key of a dict; no tuple: to hash or print one that is nested deep enough never ends, or ends in a crash."""
    if not isinstance(name, str | int):
        raise NotOurs(f"a pickle with a key that is a {type(name).__name__}")
    return name


def _storage(mark: Any) -> _Storage:
    match mark:
        case ("storage", _Name(kind), str(key), str(), int(count), *_) if kind in STORAGES and count >= 0:
            return _Storage(key, kind, count)
        case ("storage", _Name(kind), *_):
            raise NotOurs(f"numbers of the kind {kind!r}")
    raise NotOurs("a pickle that points at something that is no storage")


def _made(called: Any, arguments: Any) -> Any:
    match called, arguments:
        case _Name("collections OrderedDict"), ():
            return {}
        case _Name("torch._utils _rebuild_parameter"), (_Tensor() as tensor, *_):
            return tensor
        case _Name("torch._utils _rebuild_tensor_v2"), (_Storage() as storage, int(at), tuple(size), tuple(stride), *_):
            whole = all(type(n) is int and 0 <= n <= LARGEST for n in (at, *size, *stride))
            if len(size) != len(stride) or not whole or math.prod(max(n, 1) for n in size) > LARGEST:
                raise NotOurs("a tensor whose shape is none")
            return _Tensor(storage, at, size, stride)
        case _Name(name), _:
            raise NotOurs(f"a pickle that calls {name!r}, of which tensors have no need; it was not run")
    raise NotOurs("a pickle that calls what it has built itself; it was not run")


def _filled(saved: Any, numbers: Callable[[_Storage], bytes], order: str) -> dict[str, np.ndarray]:
    """The tensors of a state dict, taken out of what it is wrapped in."""
    if isinstance(saved, dict) and isinstance(saved.get(WRAPPED), dict):
        saved = saved[WRAPPED]
    if not isinstance(saved, dict) or not saved:
        raise NotOurs("no names with tensors")
    if odd := [name for name, value in saved.items() if not (isinstance(name, str) and isinstance(value, _Tensor))]:
        raise NotOurs(f"an entry {str(odd[0])[:50]!r} that is no tensor")
    rows: dict[_Storage, np.ndarray] = {}
    for storage in {tensor.storage for tensor in saved.values()}:
        rows[storage] = _row(storage, numbers(storage), order)
    return {name: _viewed(tensor, rows[tensor.storage]) for name, tensor in saved.items()}


def _row(storage: _Storage, content: bytes, order: str) -> np.ndarray:
    """All numbers of a storage, (N,)."""
    kind = np.dtype(order + STORAGES[storage.kind])
    if len(content) != storage.count * kind.itemsize:
        wanted = storage.count * kind.itemsize
        raise NotOurs(f"a storage {storage.key!r} of {len(content)} bytes, where {wanted} were announced")
    row = np.frombuffer(content, kind).astype(STORAGES[storage.kind], copy=False)
    if storage.kind == "torch BFloat16Storage":
        row = widened(row)
    return row.astype(bool) if storage.kind == "torch BoolStorage" else row


def _viewed(tensor: _Tensor, row: np.ndarray) -> np.ndarray:
    """A read-only view of a storage: however often it repeats numbers, it takes no memory."""
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True))
    if 0 in tensor.size:
        return np.zeros(tensor.size, row.dtype)
    if last >= len(row):
        raise NotOurs(f"a tensor {tensor.size} that reaches beyond the {len(row)} numbers of its storage")
    strides = [step * row.itemsize for step in tensor.stride]
    return np.lib.stride_tricks.as_strided(row[tensor.offset :], tensor.size, strides, writeable=False)
