VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3

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

test: $(VENV)/.ready ## run every test against a real Redis, SQLite and PostgreSQL
	@$(BIN)/pytest

check: $(VENV)/.ready ## everything a check does: lint, types, import rules, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

bench: $(VENV)/.ready ## measure what the README's numbers come from
	$(BIN)/python benchmarks/cost_per_call.py

lock: ## make the lock files again (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url --no-header -q -o requirements-dev.lock

clean: ## remove the environment and every cache
	rm -rf $(VENV) .dialer .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.PHONY: help run test check bench lock clean
