# Needs Python 3.11 or newer and make. Everything is installed into .venv inside the checkout,
# by itself, the first time a target needs it and again when pyproject.toml changes.

PYTHON ?= $(shell python3.11 --version >/dev/null 2>&1 && echo python3.11 || echo python3)
ARGS ?=

# Tests run on as many cores as there are, up to four: ARGS="-n 0 --pdb" takes one process.
TOGETHER := -n auto --maxprocesses 4 --dist worksteal

VENV  := .venv
PY    := $(VENV)/bin/python
STAMP := $(VENV)/.installed

# Caches stay inside the checkout too.
PIP_CACHE_DIR ?= $(CURDIR)/$(VENV)/cache/pip
export PIP_CACHE_DIR
MPLCONFIGDIR ?= $(CURDIR)/$(VENV)/cache/matplotlib
export MPLCONFIGDIR
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_CACHE_DIR := $(CURDIR)/$(VENV)/cache/pyright
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

AT_LEAST_3_11 := import sys; sys.exit(sys.version_info < (3, 11))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test conformance oracle schedules models soak bench recordings pictures check lint types cover format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@echo '  ARGS="..." is passed on by run, test, conformance, oracle, schedules, models, soak, bench, cover; PYTHON=... chooses the interpreter'

run: $(STAMP) ## run the link checker example (ARGS="--help" says what it takes)
	@$(PY) -m examples.sitecheck $(ARGS)

test: $(STAMP) ## run the tests (ARGS="-k name" picks some)
	@$(PY) -m pytest $(TOGETHER) $(ARGS)

conformance: $(STAMP) ## run the rows of OTP's behaviour and count them
	@$(PY) -m tests.conformance $(TOGETHER) $(ARGS)

oracle: $(STAMP) ## run the Elixir programs and check the stored output (needs elixir)
	@$(PY) -m tests.oracle $(ARGS)

schedules: $(STAMP) ## run what an order of tasks could upset under 200 orders
	@$(PY) -m tests.schedules $(ARGS)

models: $(STAMP) ## let Hypothesis look for steps in which a model and the runtime disagree
	@MODEL_EXAMPLES=$${MODEL_EXAMPLES:-200} $(PY) -m pytest tests/models -o faulthandler_timeout=0 $(ARGS)

soak: $(STAMP) ## run 100,000 of each and look for leaks (ARGS="tasks --count 1000000")
	@$(PY) -m tests.soak $(ARGS)

bench: $(STAMP) ## measure against raw Trio, asyncio and Elixir (ARGS="--list" names the figures)
	@$(PY) -m benchmarks $(ARGS)

recordings: $(STAMP) ## draw the pictures of docs/recordings anew
	@$(PY) -m tests.console_e2e.recording

pictures: $(STAMP) ## draw the pictures of docs/pictures anew
	@$(PY) -m tests.pictures

check: lint types cover ## format, lint, types, tests with branch coverage

lint: $(STAMP) ## check format and lint
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

types: $(STAMP) ## check types with mypy and pyright
	$(PY) -m mypy --strict
	$(PY) -m pyright

cover: $(STAMP) ## run the tests with branch coverage
	$(PY) -m coverage run --branch -m pytest $(TOGETHER) $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report

format: $(STAMP) ## format the code and fix what the linter can fix
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

clean: ## remove everything the other targets made, .venv included
	rm -rf $(VENV) .coverage .coverage.* htmlcov build dist
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# A .venv that is broken or too old is made again; one that is fine is only brought up to date.
$(STAMP): pyproject.toml
	@"$(PYTHON)" -c '$(AT_LEAST_3_11)' 2>/dev/null || { \
	    echo 'Python 3.11 or newer is needed and "$(PYTHON)" is not it; try: make PYTHON=/path/to/python3.11' >&2; \
	    exit 1; }
	@echo 'Setting up $(VENV) ...'
	@$(PY) -c '$(AT_LEAST_3_11)' 2>/dev/null || "$(PYTHON)" -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --editable '.[dev]'
	@touch $@
