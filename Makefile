VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q

# Tests start many interpreters, which may keep what they compiled.
TESTS := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(VENV)/.ready ## dial examples/contacts.csv against the built-in simulator
	@$(BIN)/dialer suppress import examples/do_not_call.csv
	@$(BIN)/dialer run examples/contacts.csv

PORT ?= 8080
serve: $(VENV)/.ready ## open the console on this machine, with a provider that calls nobody (PORT=8080)
	@DIALER_REDIAL_SCALE=$${DIALER_REDIAL_SCALE:-0.0005} DIALER_RECONCILE_INTERVAL_S=$${DIALER_RECONCILE_INTERVAL_S:-1} \
	  DIALER_MAX_CALL_S=$${DIALER_MAX_CALL_S:-60} DIALER_UNKNOWN_HORIZON_S=$${DIALER_UNKNOWN_HORIZON_S:-90} \
	  $(BIN)/dialer serve --worker --port $(PORT)

test: $(VENV)/.ready ## run every test against a real Redis, SQLite and PostgreSQL
	@$(TESTS)

push: $(VENV)/.ready ## what every push passes besides: crash points, 200 simulated storms, the model, a year by the oracle, more examples, every page in a browser, chaos with 1,000 people
	@$(TESTS) --dist loadfile tests/crash tests/simulation tests/model tests/oracle tests/hostile/test_few_people.py \
	  tests/hostile/test_openapi_fuzzed.py tests/hostile/test_api_schema.py
	@$(TESTS) --hypothesis-profile=many tests/unit tests/contract/test_webhooks.py tests/integration/test_rejects_file.py
	@$(TESTS) -n 2 --dist loadfile tests/browser
	@$(TESTS) -n 0 tests/chaos

storm: push ## the long suites: those of a push, a hostile provider, shared people, a year by the oracle, every fuzzer
	@DIALER_TEST_FUZZ=all $(TESTS) --dist loadfile tests/hostile tests/sharing
	@$(BIN)/python -m tests.oracle

lint: $(VENV)/.ready ## style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## everything: lint, then test

bench: $(VENV)/.ready ## measure the CPU cost of a placed call
	$(BIN)/python benchmarks/cost_per_call.py

$(VENV)/rivals/.ready: benchmarks/rivals/requirements.lock
	$(PYTHON) -m venv --clear $(VENV)/rivals
	$(VENV)/rivals/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench-rivals: $(VENV)/.ready $(VENV)/rivals/.ready ## the same next to SAQ, taskiq, Celery, dramatiq and bare loops
	$(BIN)/python benchmarks/side_by_side.py --python $(VENV)/rivals/bin/python

CONTACTS ?= 10000
DATABASE ?= postgresql
SEED ?= 1

chaos: $(VENV)/.ready ## worker processes in a storm of faults (CONTACTS=, DATABASE=sqlite, SEED=)
	$(BIN)/python -m tests.chaos --contacts $(CONTACTS) --database $(DATABASE) --seed $(SEED)

crash: $(VENV)/.ready ## end workers at every named point, on both databases
	DIALER_TEST_CRASH=all $(BIN)/pytest tests/crash

mutants: $(VENV)/.ready ## make one line wrong at a time, and see which suite says so
	$(BIN)/python -m tests.mutants

SEEDS ?= 200
FIRST ?= 0
simulate: $(VENV)/.ready ## run the rooms through SEEDS=200 simulated storms (FIRST=0)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST)

MONTHS ?= 6
rules: $(VENV)/.ready ## list the calling rules; fail when one was not checked for MONTHS=6 months
	$(BIN)/python -m dialer.cli.rules --months $(MONTHS)

lock: ## make the lock files again (needs uv)
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --all-extras -o requirements-dev.lock
	echo 'hatchling>=1.31' | $(COMPILE) - -o requirements-build.lock
	$(COMPILE) benchmarks/rivals/requirements.in -o benchmarks/rivals/requirements.lock

sbom: $(VENV)/.ready ## list the packages of the lock with their licences, as CycloneDX and as text, in dist/
	$(BIN)/python .ci/sbom.py requirements.lock

openapi: $(VENV)/.ready ## write docs/openapi.json, the description of the API
	$(BIN)/python -m tests.openapi_document > docs/openapi.json

picture: $(VENV)/.ready ## draw docs/run.svg and docs/console.png, the pictures in the README, from rehearsals (needs chromium)
	$(BIN)/python .ci/picture.py $(BIN)/dialer
	$(BIN)/python .ci/console_picture.py $(BIN)/dialer

clean: ## remove the environment and every cache (never the ledger)
	rm -rf $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.PHONY: help run serve test push storm lint check bench bench-rivals chaos crash mutants simulate rules lock sbom openapi picture clean
