# Everything a person or CI does with this checkout. `make help` lists it.
#
# Needs: make, a POSIX shell, Python 3.11 or newer. Installs only what the lock files name, by hash.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Wheels only: a source package would run unlocked build code. Hashes: nothing but what was locked.
LOCKED := install --require-hashes --only-binary :all: --no-deps
# Much of a story is waiting: three share two cores better than two do.
WORKERS ?= 3
PYTEST_ARGS ?=
export TOCSIN_PYTHON ?=
# Set in many containers: then every process that a test starts would compile all of its modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up test check bench chaos fuzz lock docs screenshots clean venv dev

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: venv ## run all of it in this terminal, on a database of its own under var/
	@exec $(BIN)/tocsin up

test: dev ## all tests (one: make test PYTEST_ARGS='tests/routing -x')
	@exec $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS)

check: dev ## lint, format, types, import contracts, configuration
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/tocsin check
	$(BIN)/python tests/house/committed.py

bench: dev ## benchmarks, written to benchmarks/RESULTS.md
	@exec $(BIN)/python benchmarks/run.py

chaos: dev ## the long tests: each process and fault point killed twenty times, properties tried ten times as often
	@TOCSIN_CHAOS_ROUNDS=$${TOCSIN_CHAOS_ROUNDS:-20} $(BIN)/python -m pytest -m kill -x $(PYTEST_ARGS)
	@! command -v redis-server >/dev/null || $(BIN)/python -m pytest tests/ledger --redis-server
	@TOCSIN_EXAMPLES=$${TOCSIN_EXAMPLES:-10} exec $(BIN)/python -m pytest -n $(WORKERS) tests/routing tests/receiver/test_every_source.py tests/receiver/test_sources.py tests/workers/test_request.py

fuzz: dev ## a million requests nobody sends in good faith, at a receiver (fewer: make fuzz INPUTS=20000 SEED=7)
	@exec $(BIN)/python tests/support/fuzz.py $(INPUTS) $(SEED)

lock: ## resolve the lock files anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra ical --extra signatures --extra mail --extra oidc --group build $(LOCK_OPTIONS) -o requirements.lock
	uv pip compile pyproject.toml --extra ical --extra signatures --extra mail --extra oidc --group build --group dev -c requirements.lock $(LOCK_OPTIONS) -o requirements-dev.lock

LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

screenshots: dev ## pictures of the console's pages, all under var/, some for the docs (needs Chromium)
	@PYTHONPATH=tests/support exec $(BIN)/python tests/pages/pictures.py var/screenshots

docs: dev ## write into docs/sources.md what the sources' modules say
	@exec $(BIN)/python .ci/sources_page.py

clean: ## remove what was installed and built; leaves var/ (the data) and .env (the secrets)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv: $(VENV)/.installed
dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.lock pyproject.toml
	@sh .ci/make-venv $(VENV)
	@echo "installing the locked dependencies into $(VENV) (once)"
	@$(PIP) $(LOCKED) -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "installing the locked development tools into $(VENV) (once)"
	@$(PIP) $(LOCKED) -r requirements-dev.lock
	@touch $@
