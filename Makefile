# `make run` and `make test` need Python 3.11 or newer, make and a package index; they do the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run test lint format lock docs clean

help:  ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime  ## Serve the sample site on loopback, ingest it, and show the dataset it makes
	@$(BIN)/copydesk demo

test: $(VENV)/.dev  ## Run every test, offline, in parallel
	@$(BIN)/pytest --numprocesses=auto --dist=loadgroup $(PYTEST_ARGS)

lint: $(VENV)/.dev  ## Check style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev  ## Put the code in order
	@$(BIN)/ruff check --fix --select I .
	@$(BIN)/ruff format .

docs: $(VENV)/.dev  ## Write the generated pages of docs/ again
	@$(BIN)/python -m flows.docs

lock:  ## Choose the newest versions that pyproject.toml allows (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
	    pyproject.toml --group build --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
	    pyproject.toml --group build --group dev --extra bench --constraints requirements.lock --output-file requirements-dev.lock

clean:  ## Remove the virtual environment and caches; datasets stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "copydesk needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The lock names every package, so pip has nothing to resolve (--no-deps) and checks every file's hash.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) (a minute or two, the first time) …"
	@$(PIP) install --no-deps --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) for development (a minute or two, the first time) …"
	@$(PIP) install --no-deps --require-hashes --requirement requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.runtime
