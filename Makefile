# Everything a person needs to try, test and measure tcnb; each target makes its own environment in .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo lab test lint bench fuzz chaos clean

help:
	@echo "make demo   run the tour without a browser; leaves build/tour.html"
	@echo "make lab    open the tour live in JupyterLab"
	@echo "make test   run the tests"
	@echo "make lint   ruff and mypy"
	@echo "make bench  print the benchmark table"
	@echo "make fuzz   send a million mutated frames through wire, journal, record and live sessions; FRAMES=… SEED=…"
	@echo "make chaos  break everything while 50,000 messages and 500 sends go their ways, then let a hostile server"
	@echo "            answer 1,000 requests; MESSAGES=… FAULTS=… SENDS=… HOSTILE=… SEED=… (0 leaves a part out)"

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tcnb needs Python 3.11 or newer; say which with: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing tcnb and what it needs into $(VENV) (once; a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/python -m tcnb demo

lab: $(STAMP)
	@$(BIN)/jupyter lab notebooks/00_tour.ipynb

# Browsers and the lessons take much memory, as Spark does in the other tests; so they come after them.
LAST := tests/browser tests/test_lessons.py
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test: $(STAMP)
	@$(PYTEST) $(LAST:%=--ignore=%)
	@$(PYTEST) $(LAST)

lint: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: $(STAMP)
	@$(BIN)/python -m benchmarks

# Both print their seed, and take one to see a failure again.
fuzz: $(STAMP)
	@$(BIN)/python -m tests.fuzz.long $(if $(FRAMES),--frames $(FRAMES)) $(if $(SEED),--seed $(SEED))

chaos: $(STAMP)
	@$(BIN)/python -m tests.chaos.long $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(FAULTS),--faults $(FAULTS)) \
		$(if $(SENDS),--sendings $(SENDS)) $(if $(HOSTILE),--hostile $(HOSTILE)) $(if $(SEED),--seed $(SEED))

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
