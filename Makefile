# Everything starts here: each target sets up what it needs and nothing more.
PYTHON ?= python3
VENV   := .venv
BENCH_SHIPMENTS ?= 100000
BIN    := $(VENV)/bin
UV     := $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev tryton demo up test test-change test-fast test-erp prove simulate outage lint types imports check docs bench lock clean

help: ## list the targets: what you want to do, and what it does
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

setup: $(VENV)/.runtime ## install what runs, into .venv (the targets below do it themselves)
setup-dev: $(VENV)/.dev ## install what tests and checks need as well

# Tryton is a system outside: an environment of its own, in which nothing of ours is installed.
.cache/tryton/.made: requirements-tryton.lock | $(UV)
	@$(UV) venv --quiet --clear --python $(BIN)/python .cache/tryton/venv
	@$(UV) pip sync --quiet --compile-bytecode --python .cache/tryton/venv/bin/python requirements-tryton.lock
	@touch $@

tryton: .cache/tryton/.made ## install the Tryton server that test-erp starts, into .cache/tryton

demo: setup ## start a sandbox, run everything once, post the invoices, print the result
	@$(BIN)/waybill demo

up: setup ## keep the sandbox, the Dagster UI, the executive page and the API running until Ctrl-C
	@$(BIN)/waybill up

test: setup-dev ## run every test but test-erp's (those of the page need ./scripts/install-browser.sh once)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-change: setup-dev ## run the same but the long ones, of which each file takes minutes, and with fewer seeds and worlds: what CI asks of each change
	WAYBILL_SEEDS=250 WAYBILL_WORLDS=8 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long"

test-fast: setup-dev ## run the unit tests and the conventions
	$(BIN)/python -m pytest tests/unit tests/conventions

test-erp: setup-dev tryton ## run the tests that push into a real Tryton (the first time a database is built: a minute)
	$(BIN)/python -m pytest tests/erp -n 2 --dist loadfile --no-loadscope-reorder

prove: setup-dev ## bring the faults about that the push has to survive, and say fault by fault what was found
	@$(BIN)/python -m tests.prove

simulate: setup-dev ## play 20,000 seeds of crashes, lost and late answers, and a day without the ERP with 20,000 proofs, in memory and over HTTP (make test plays fewer)
	WAYBILL_SEEDS=20000 WAYBILL_PROOFS=20000 $(BIN)/python -m pytest -q -n 2 tests/simulation \
		tests/integration/activation/test_faults_of_every_kind_at_random.py \
		tests/integration/activation/test_a_day_without_the_erp_over_http.py

outage: setup-dev ## play 24 hours without the ERP at twenty proofs a second, 1,728,000 in all, with the state store on the disk
	$(BIN)/python -m tests.simulation.long_outage

lint: setup-dev ## check the style (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev ## check the types (mypy, strict)
	$(BIN)/mypy

imports: setup-dev ## check who imports whom (import-linter)
	$(BIN)/lint-imports

check: lint types imports ## style, types and imports: what CI asks before the tests

docs: setup ## write docs/metrics.md, the contracts' schemas and dbt's documentation, a page that opens without a server
	@$(BIN)/waybill docs metrics
	@$(BIN)/waybill docs contracts
	@$(BIN)/waybill docs site

bench: setup-dev ## measure the demo, the push, the API under load, what waiting costs, the gate, the build of a year (BENCH_SHIPMENTS=1000000), and a full state store
	$(BIN)/python -m benchmarks.demo
	$(BIN)/python -m benchmarks.push
	$(BIN)/python -m benchmarks.events --shipments 20000
	$(BIN)/python -m benchmarks.load
	$(BIN)/python -m benchmarks.idle
	$(BIN)/python -m benchmarks.gate
	$(BIN)/python -m benchmarks.build --shipments $(BENCH_SHIPMENTS)
	$(BIN)/python -m benchmarks.state

# The locks name versions and hashes, never a download host.
lock: | $(UV) ## resolve the locks again: requirements.lock, -dev, -tryton
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		pyproject.toml --output-file requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		requirements-tryton.in --output-file requirements-tryton.lock

clean: ## remove ./data with all that the demo made (no other target does)
	rm -rf data
