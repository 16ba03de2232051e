# Everything a contributor runs. `make install` is what the others begin with; a second run of it is instant.
# Longer recipes are scripts in deploy/scripts/.

BIN := .venv/bin
# Three lanes beside each other (tests/lanes.py); with an empty one everything runs one after the other.
PYTEST_ARGS ?= -n 3 --dist loadgroup

# Where it is set, every process that a test starts compiles everything anew: more than a second of CPU time each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test check bench chaos lock golden

help:
	@echo 'make demo     a call goes through a sample application'
	@echo 'make test     everything this machine can run; says what it skipped and why; PYTEST_ARGS=tests/unit runs some'
	@echo 'make check    lint, formatting, types, import law'
	@echo 'make bench    measurements, one JSON object a line; ONLY="hooks api" makes some'
	@echo 'make chaos    break everything under load, one JSON line a run; ARGS="--runs 20 --long" for the long form'
	@echo 'make install  what the others begin with; leaves the command at $(BIN)/callplane'
	@echo 'make golden   write the golden files anew; read the difference before committing it'
	@echo 'make lock     write requirements.lock anew from pyproject.toml'

install:
	@deploy/scripts/install.sh

demo: install
	@$(BIN)/python deploy/examples/demo.py

test: install
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	@deploy/scripts/bench_peers.sh
	@$(BIN)/python -m bench $(ONLY)

chaos: install
	@$(BIN)/python -m tests.chaos $(ARGS)

golden: install
	@$(BIN)/python -m tests.golden

lock: install
	@deploy/scripts/lock.sh
