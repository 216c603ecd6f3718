"""The main job in Python: which steps there are, settings of all, and what becomes of films by them."""

from phonoscope.job.jobs import annotations, failed_steps, open_store, prepare, run
from phonoscope.job.settings import BESIDE, ClockParams, Params, fraction, known, params_from, rate
from phonoscope.job.steps import DEFAULT, STEPS
from phonoscope.job.work import NEED_DEPTH, backend, identity, settle, work_on

__all__ = [
    "BESIDE",
    "DEFAULT",
    "NEED_DEPTH",
    "STEPS",
    "ClockParams",
    "Params",
    "annotations",
    "backend",
    "failed_steps",
    "fraction",
    "identity",
    "known",
    "open_store",
    "params_from",
    "prepare",
    "rate",
    "run",
    "settle",
    "work_on",
]
