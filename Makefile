# make demo    compress the samples with every codec, decode, compare, and show the table
# make test    run the tests                 make lint     style, types, imports
# make dist    build every package into dist/, check them, and try them in an environment of their own: 400 MB, no torch
# make docs    the documentation as a site, in build/site; make docs-serve shows it while you write
# make exactness     the same bits under other settings, threads and instructions, and what is compiled for other processors
# make portability   the same bits on other processors, emulated; the matrix in docs/explanation/exactness.md
# make bounds  the oldest versions that the packages ask for decode every vector
# make gallery draw the pictures of docs/gallery.md
# make figures DATA=FOLDER   the figures of README.md and docs/benchmarks.md
# make check   all of it                     make clean    remove what make made

.DEFAULT_GOAL := help
.PHONY: help install dist docs docs-serve demo gallery figures test lint format check clean exactness portability bounds

# The first interpreter that is new enough. Another: make PYTHON=/path/to/python
PYTHON := $(shell for p in python3.11 python3 python3.12 python3.13 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
# Those with something to train have an extra for it.
TRAINED := $(patsubst %/pyproject.toml,%,$(shell grep -l '^train = ' plugins/*/pyproject.toml))
# All of them first as they are: a plugin may need another, which must not be looked for on an index.
EDITABLE := $(patsubst %,--editable './%',$(PLUGINS)) $(patsubst %,--editable './%[train]',$(TRAINED))
TOOLS := ruff mypy import-linter pytest-xdist hatchling hatch-fancy-pypi-readme editables build twine mkdocs-material mkdocstrings-python mkdocs-jupyter selenium scipy mpmath constriction
# More for pytest, for example: make test ARGS='-k container -n 0'
ARGS ?=

help:
	@sed -n 's/^# make/make/p' Makefile

install: $(STAMP)

# Core and plugins in one go, so that the plugins find this core and not one on an index.
# The folder `plugins` is newer than the stamp when a plugin came or went.
$(STAMP): Makefile constraints.txt pyproject.toml plugins $(PLUGINS:=/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing into $(VENV): a few minutes the first time, most of it torch."
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[torch,images,medical,science,tensors,bench,testing,zarr,dask,remote]' $(EDITABLE) $(TOOLS)
	@touch $@

demo: $(STAMP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh scripts/demo.sh

dist: $(STAMP)
	rm -rf dist
	for package in . $(PLUGINS); do $(BIN)/python -m build --no-isolation --outdir dist $$package >/dev/null || exit 1; done
	$(BIN)/python -m twine check --strict dist/*
	sh scripts/try_dist.sh $(BIN)/python

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python scripts/site.py build

docs-serve: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python scripts/site.py serve

gallery: $(STAMP)
	$(BIN)/python scripts/gallery.py
	$(BIN)/python plugins/rec/scripts/pictures.py

figures: $(STAMP)
	$(BIN)/python scripts/figures $(DATA) $(ARGS)

# Each of many threads would have a heap of its own, and heaps would keep what freed arrays of megabytes took: a worker 1.3 times as large.
test: export MALLOC_ARENA_MAX = 2
test: export MALLOC_MMAP_THRESHOLD_ = 1048576
# Two workers have two processors: more threads of networks would wait for each other, and burn a third of the time.
test: export OMP_NUM_THREADS = 1
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal -m 'not portability'
# Those that import torch run with the plugins, which train: the workers of the others are smaller by a third.
TORCH := tests/learn tests/exact/test_freeze.py tests/exact/test_thaw.py tests/adapters/test_torch.py tests/media/test_safetensors.py
# Workers grow with what they compile and train: no run is longer than about five minutes.
HALF := plugins/ar plugins/classic
test: $(STAMP)
ifeq ($(strip $(ARGS)),)
	$(BIN)/codecs warm
	status=0; \
	$(PYTEST) tests $(TORCH:%=--ignore=%) || status=1; \
	$(PYTEST) $(HALF) || status=1; \
	$(PYTEST) $(filter-out $(HALF),$(PLUGINS)) $(TORCH) || status=1; \
	exit $$status
else
	$(PYTEST) $(ARGS)
endif

exactness: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m portability tests/exactness

portability: $(STAMP)
	$(BIN)/python scripts/portability $(ARGS)

bounds: $(STAMP)
	$(BIN)/python scripts/portability/bounds.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/wording.py

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test demo

clean:
	rm -rf $(VENV) .portability demo-output dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
