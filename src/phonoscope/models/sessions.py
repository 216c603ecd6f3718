"""Network runtimes, set up so that the same input gives the same bytes."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

OnnxNetwork = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
"""Inputs by name in, outputs by name out."""

LiteNetwork = Callable[[np.ndarray], list[np.ndarray]]
"""The only input in, the outputs in the model's order out; they are copies, safe to keep."""


def onnx_network(weights: Path, threads: int = 1) -> OnnxNetwork:
    """An ONNX network on the CPU: a fixed number of threads, one operator after another, only errors on stderr."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]

    def run(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: np.asarray(made) for name, made in zip(outputs, session.run(outputs, dict(inputs)), strict=True)}

    return run


def lite_network(weights: Path, threads: int = 1) -> LiteNetwork:
    """A TensorFlow Lite network of one input on the CPU, with a fixed number of threads."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(weights), num_threads=threads)
    interpreter.allocate_tensors()
    (source,) = (detail["index"] for detail in interpreter.get_input_details())
    outputs = [detail["index"] for detail in interpreter.get_output_details()]

    def run(values: np.ndarray) -> list[np.ndarray]:
        interpreter.set_tensor(source, values)
        interpreter.invoke()
        return [interpreter.get_tensor(output) for output in outputs]

    return run
