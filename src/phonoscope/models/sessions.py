"""Network runtimes, set up so that the same input gives the same bytes."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

OnnxNetwork = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
"""Inputs by name in, outputs by name out."""

LiteNetwork = Callable[[np.ndarray], list[np.ndarray]]
"""The only input in, the outputs in the model's order out; they are copies, safe to keep."""


def onnx_network(weights: Path | bytes, threads: int = 1) -> OnnxNetwork:
    """An ONNX network on the CPU: a fixed number of threads, one operator after another, only errors on stderr.

    Args:
        weights: its file, or what would stand in it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    source = weights if isinstance(weights, bytes) else str(weights)
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]

    def run(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: np.asarray(made) for name, made in zip(outputs, session.run(outputs, dict(inputs)), strict=True)}

    return run


@contextmanager
def _native_stderr_aside() -> Iterator[None]:
    """What native code writes to stderr meanwhile goes nowhere; its errors are raised all the same."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def lite_network(weights: Path, threads: int = 1) -> LiteNetwork:
    """A TensorFlow Lite network of one input on the CPU, with a fixed number of threads."""
    from ai_edge_litert.interpreter import Interpreter

    with _native_stderr_aside():  # it tells of its delegate there, which cannot be told from trouble, nor turned off
        interpreter = Interpreter(str(weights), num_threads=threads)
        interpreter.allocate_tensors()
    (source,) = (detail["index"] for detail in interpreter.get_input_details())
    outputs = [detail["index"] for detail in interpreter.get_output_details()]

    def run(values: np.ndarray) -> list[np.ndarray]:
        interpreter.set_tensor(source, values)
        interpreter.invoke()
        return [interpreter.get_tensor(output) for output in outputs]

    return run
