# The two commands: `make demo` tries everything on the sandbox, `make test` checks everything. Both set themselves up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
unexport VIRTUAL_ENV # another environment that is active here is not the one that runs
unexport PYTHONDONTWRITEBYTECODE # every worker and kernel would compile all of it anew: ten seconds of a core each

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.10 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
INSTALL := $(BIN)/python -m tests.packaging.installing $(VENV)
# Twice the cores: the tests wait for servers, kernels and paced streams half of their time.
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2))))
BESIDE := -n $(WORKERS) --dist worksteal
export WORKERS
# Each has a JupyterLab and a Chromium of its own, which take a core while a test runs.
BROWSERS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

.PHONY: help demo demo-headless test check lint types changed quick unit notebooks wheel browser \
	pythons lowest bench docs format clean binder

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.10 or newer with venv is needed (Debian: apt install python3-venv)."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Jupyter finds the extension's files where an install copies them: a link there would be followed by an uninstall.
EXTENSION := $(wildcard labextension/*.json labextension/schemas/*/* labextension/static/*)

$(VENV)/.lab: pyproject.toml $(EXTENSION) | $(VENV)/bin/python
	@echo "Installing tetrate-jupyter and JupyterLab into $(VENV) (some seconds with uv, a minute or two with pip, once) ..."
	$(INSTALL) -e '.[lab]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(EXTENSION) | $(VENV)/bin/python
	@echo "Installing tetrate-jupyter and its tools into $(VENV) (half a minute with uv, two with pip, once) ..."
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.lab

demo: $(VENV)/.lab ## open the quickstart in JupyterLab on the sandbox router: no account needed
	$(BIN)/tetrate-jupyter demo

demo-headless: $(VENV)/.lab ## run the quickstart top to bottom in a real kernel and print what a person would see
	$(BIN)/tetrate-jupyter demo --execute

test: $(VENV)/.dev ## everything: lint, types, tests, notebooks, wheel, browser, other Pythons
	@bash .ci/install-browser
	@MAKE='$(MAKE)' bash .ci/stages 'lint types unit notebooks wheel browser pythons'
	@echo "All of it passed."

check: $(VENV)/.dev ## what to run while working, a minute: lint, types, and the tests of what has changed since main
	@MAKE='$(MAKE)' bash .ci/stages 'lint types' changed

lint: $(VENV)/.dev ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy

changed: $(VENV)/.dev
	$(PYTEST) -q -m 'not slow and not heavy' $(BESIDE) $$($(BIN)/python -m tests.changed)

quick: $(VENV)/.dev ## the tests proper without those of long texts and large amounts
	$(PYTEST) -q -m 'not slow and not heavy' --ignore tests/browser $(BESIDE)

unit: $(VENV)/.dev ## unit, integration and architecture tests, against the sandbox over real HTTP
	$(PYTEST) -q -m 'not slow' --ignore tests/browser $(BESIDE)

notebooks: $(VENV)/.dev ## the notebooks, in real kernels on the sandbox, outputs compared; real-kernel tests
	$(PYTEST) -m slow --ignore tests/packaging --ignore tests/browser --timeout 300 $(BESIDE)

wheel: $(VENV)/.dev ## build the wheel and try it in an empty environment, and binder's steps in another
	$(PYTEST) -m slow tests/packaging --timeout 900

browser: $(VENV)/.dev ## the quickstart in a real JupyterLab, driven by a real browser
	$(PYTEST) tests/browser --timeout 240 -n $(BROWSERS) --dist worksteal

pythons: $(VENV)/.dev ## the tests proper on every Python from 3.10 to 3.13 that is here
	@bash .ci/every-python

lowest: $(VENV)/.dev ## the lowest versions that pyproject.toml allows, on Python 3.10 (not part of test)
	@bash .ci/every-python lowest

bench: $(VENV)/.dev ## ratios against bare httpx and bare IPython; writes tests/benchmarks/results.json
	$(BIN)/python -m tests.benchmarks

docs: $(VENV)/.dev ## write the generated parts of docs/ anew
	$(BIN)/python -m tests.docs.readme --write

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/deno fmt -q --config .ci/deno.json labextension/static/*.js tetrate_jupyter/widgets/static/*.js

clean: ## remove environments and build products
	rm -rf .venv .venv-* dist build .work

binder: ## renew binder's pinned requirements (needs Python 3.11)
	rm -rf .venv-binder && python3.11 -m venv .venv-binder
	.venv-binder/bin/python -m pip install --quiet '.[lab]'
	head -1 binder/requirements.txt > .venv-binder/pins
	.venv-binder/bin/python -m pip freeze --exclude tetrate-jupyter >> .venv-binder/pins
	mv .venv-binder/pins binder/requirements.txt
