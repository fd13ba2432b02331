# make run     prepare this machine if needed, then open the app
# make setup   prepare only; .venv/bin/banger-tui then works
# make check   format, lint, types, import contracts
# make test    check and every test, real VMs included
# make bench   measurements against bare QEMU and an empty app
# make pictures  screenshots for the README, from the running app
# make lock    renew the lock files from pyproject.toml

.DEFAULT_GOAL := run
.PHONY: run setup setup-tests check format test test-fast test-host test-live bench pictures lock

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -p no:randomly --durations=15

run:
	@scripts/setup --quiet
	@exec $(BIN)/banger-tui

setup:
	@scripts/setup

setup-tests:
	@scripts/setup --tests

check: setup-tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-tests
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: check test-fast test-host test-live

test-fast: setup-tests
	$(PYTEST) -n 2 --dist worksteal -m "not live and not host and not slow"

test-host: setup-tests
	$(PYTEST) -n 2 --dist loadfile -m "host and not slow"

# One at a time: real guests share the machine's cores, and boot times are part of what is tested.
test-live: setup-tests
	$(PYTEST) -m "live and not slow"

bench: setup-tests
	@$(BIN)/python scripts/bench.py

pictures: setup-tests
	@$(BIN)/python scripts/pictures.py

lock: setup-tests
	@scripts/lock
