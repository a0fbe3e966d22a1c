# `make demo` works from a fresh checkout with Python 3.11 to 3.13, make and the package registries.

IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
		$$python -c '$(IN_RANGE)' 2>/dev/null && command -v $$python && break; done)
BIN := .venv/bin
# -qq: errors only; pip warns once a package where a machine has a second index.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -qq
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-config --quiet

.PHONY: help .venv demo test test-system check bench guard chaos fuzz up down status lock clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

.venv: .venv/installed

.venv/installed: pyproject.toml requirements/dev.txt
	@$(or $(PYTHON),false) -c '$(IN_RANGE)' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; name it, for example: make PYTHON=python3.12"; exit 1; }
	@echo "installing into .venv"
	@$(PYTHON) -m venv .venv
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

demo: .venv ## the whole system, for real, on this machine
	$(BIN)/storycanvas demo

test: check ## checks, and tests on real services
	$(BIN)/python -m pytest -n 4 --dist worksteal tests/flows tests/services tests/unit

test-system: .venv ## kills, leases, restarts, fuzz, chaos, browser: wall-clock by nature
	$(BIN)/python -m pytest -n 4 --dist loadfile tests/system -m "not alone"
	$(BIN)/python -m pytest tests/system -m alone

check: .venv ## lint, format, types, import rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv ## the figures of docs/figures.md, each a ratio measured side by side
	$(BIN)/python -m benchmarks.character_migration
	$(BIN)/python -m benchmarks.model_catalog

guard: .venv ## how busy the guard keeps GPU hosts, beside other ways
	$(BIN)/python -m benchmarks.gpu_guard
	$(BIN)/python -m benchmarks.whole_run

chaos: .venv ## kills processes that share a GPU slot, for an hour
	$(BIN)/python -m tests.system.chaos

fuzz: .venv ## ten thousand hostile requests to a real host
	$(BIN)/python -m tests.system.fuzz.run_fuzz

up: .venv ## database, Prefect with its UI, face host and worker, until `make down`
	$(BIN)/storycanvas up

down: .venv ## end what `make up` started
	$(BIN)/storycanvas down

status: .venv ## what runs, and where
	$(BIN)/storycanvas status

# uv does not read pip's settings: the index that pip uses is handed on, and never written down.
lock: .venv ## pin what pyproject.toml asks for
	@index=$$($(BIN)/pip config get global.index-url 2>/dev/null || true); \
	index=$${PIP_INDEX_URL:-$$index}; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
	$(COMPILE) --upgrade --extra dev -o requirements/dev.txt && \
	$(COMPILE) --extra flows -c requirements/dev.txt -o requirements/base.txt && \
	$(COMPILE) --extra host -c requirements/dev.txt -o requirements/host.txt

clean: ## remove what can be made again; pictures and database in .storycanvas/ stay
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
