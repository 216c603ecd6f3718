# make demo      a film is drawn (or CLIP=path taken), prepared, and you are told where to look
# make test      install what the tests need, run them all
# make check     ruff, pyright, import-linter and the fast tests
# make install   everything, into .venv
# make bench     measure; prints the tables of the README
# make bench-scale  10,000 recordings, 2,000 under random kills, and Ray over processes; half an hour

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CLIP ?=
DEMO ?= demo

export PHONOSCOPE_HOME ?= $(CURDIR)/.cache/phonoscope
export CLIP DEMO

.PHONY: install demo test check bench bench-finetune bench-scale clean

.venv/base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "phonoscope needs Python 3.11 or newer, $(PYTHON) is older: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade "pip>=25.1"
	$(PIP) --editable .
	@touch $@

# PySceneDetect asks for opencv-python, which would overwrite the headless one; its witness needs neither.
# On Linux pip takes PyTorch with gigabytes of CUDA, unless PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL leads to its CPU build
.venv/test: .venv/base
	$(PIP) --editable ".[ssl,train]" --group test
	$(PIP) --no-deps scenedetect==0.7.2
	@touch $@

.venv/check: .venv/test
	$(PIP) --group check
	@touch $@

install: .venv/check

demo: .venv/base
	@$(BIN)/python -m phonoscope.testing.demo "$$DEMO" "$$CLIP"

# A thread each for the two of them: threads of BLAS that wait for each other keep both cores busy with nothing.
test: .venv/test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

check: .venv/check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 -m "not slow and not real"

bench: .venv/test
	$(BIN)/python -m bench

bench-finetune: .venv/test
	$(BIN)/python -m bench finetune

bench-scale: .venv/test
	$(BIN)/python -m bench scale soak ray

clean:
	rm -rf .venv .cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis demo
