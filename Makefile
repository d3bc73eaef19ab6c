# Everything starts here: each target sets up what it needs and nothing more.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo up test test-fast lint types imports check docs bench lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

# What runs needs the first lock, what tests needs the second, which contains the first.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(UV)
	@test -e $(VENV)/.dev || $(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml | $(UV)
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python requirements-dev.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@ $(VENV)/.runtime

setup: $(VENV)/.runtime ## make the environment that runs
setup-dev: $(VENV)/.dev ## make the environment that tests

demo: setup ## the whole promise once, on a sandbox: result on the terminal
	@$(BIN)/waybill demo

up: setup ## sandbox, Dagster UI and page in one foreground command
	@$(BIN)/waybill up

test: setup-dev ## every test
	$(BIN)/python -m pytest

test-fast: setup-dev ## unit tests and conventions
	$(BIN)/python -m pytest tests/unit tests/conventions

lint: setup-dev ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev ## mypy, strict
	$(BIN)/mypy

imports: setup-dev ## who may import whom
	$(BIN)/lint-imports

check: lint types imports ## what CI asks before the tests

docs: setup ## write the pages that follow from definitions
	@$(BIN)/waybill docs metrics

bench: setup-dev ## time and memory of the default demo
	$(BIN)/python -m benchmarks.demo

# The locks name versions and hashes, never a download host.
lock: | $(UV) ## resolve both locks again
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		pyproject.toml --output-file requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock

clean: ## remove what the demo made (never done by any other target)
	rm -rf data
