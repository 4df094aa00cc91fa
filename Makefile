# Every target works from a fresh clone with Python 3.11 (with venv) and make; the first one sets .venv up.
# What is installed is what the lock files name; `install` does nothing while they stay as they are.

PYTHON := $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" pyproject.toml

.PHONY: install run demo test test-failed chaos lint bench lock audit licences sbom clean

install: .venv/packages .venv/project web/node_modules/.package-lock.json

run: install
	@exec $(BIN)/python -m jobstream.run

demo: install
	@$(BIN)/jobstream demo

# Three at a time, a file in one piece: more than half of what the tests do is wait.
test: install
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile

# What failed in `test`, once more, with the machine to itself. Nothing, where nothing was noted as failed, is a failure.
test-failed: install
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

# The long form of what `test` does of it: a storm over 2,000 jobs under a worker's usual lease, 20 stops of workers in
# one job of a minute, 5,000 cuts of readers' connections, a minute without a word from the store, and a copy of two
# million rows through ten kills of its worker and two of its database.
LONG := JOBSTREAM_CHAOS_JOBS=2000 JOBSTREAM_CHAOS_LEASE=6 \
	JOBSTREAM_CHAOS_STEPS=60 JOBSTREAM_CHAOS_PAUSE=1 JOBSTREAM_CHAOS_STOPS=20 \
	JOBSTREAM_CUTS=5000 JOBSTREAM_DEAF_SECONDS=60 JOBSTREAM_CLIENT_CUTS=500 \
	JOBSTREAM_COPY_ROWS=2000000 JOBSTREAM_COPY_BATCH=10000 JOBSTREAM_COPY_KILLS=10 JOBSTREAM_COPY_RESTARTS=2
chaos: install
	$(LONG) $(BIN)/python -m pytest tests/chaos tests/cuts tests/client/test_cuts.py tests/copying/test_kills.py

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive jobs service workers sandbox jobstream

bench: install
	$(BIN)/python -m bench

# The newest releases that pyproject.toml allows, and their hashes.
lock: install
	test -x $(BIN)/uv || $(BIN)/pip install --quiet uv
	$(LOCK) --upgrade --output-file requirements.txt
	$(LOCK) --upgrade --extra dev --constraint requirements.txt --output-file requirements-dev.txt

# Known faults of what is locked, from the open internet: not a part of what a change must pass.
audit: install
	test -x $(BIN)/uv || $(BIN)/pip install --quiet uv
	$(BIN)/uv tool run pip-audit --disable-pip --require-hashes --requirement requirements.txt --requirement requirements-dev.txt

# docs/LICENCES.md, from what is locked.
licences: install
	$(BIN)/python deploy/licences.py

# The same for machines, as CycloneDX JSON on standard output.
sbom: install
	@$(BIN)/python deploy/sbom.py

# The data in .jobstream stays.
clean:
	rm -rf .venv $(addsuffix node_modules,$(dir $(wildcard package-lock.json */package-lock.json */*/package-lock.json */*/*/package-lock.json))) *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/packages: requirements-dev.txt
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.venv/project: pyproject.toml .venv/packages
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The machine's npm, or where there is none the one that came with the packages.
web/node_modules/.package-lock.json: web/package.json web/package-lock.json .venv/packages
	cd web && PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --silent
	@touch $@
