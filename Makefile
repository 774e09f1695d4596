# `make demo` shows what this is; `make test lint` is what a change must pass. The first call makes .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
PYTEST_FLAGS ?= -n 2

.PHONY: help demo test test-slow test-latex test-browser test-window test-ray lint cards docs docs-links baselines generalisation geometry speed

help:
	@echo "make demo       train a boat on the proxy and on what was meant, and record both"
	@echo "make test       the fast tests"
	@echo "make test-slow  the tests that train agents"
	@echo "make test-latex  the tests that compile a report's LaTeX; they need pdflatex"
	@echo "make test-ray   the tests of studies on Ray, which it installs; on loopback alone, with nodes killed"
	@echo "make test-browser  reports, replays and playgrounds in headless Chromium; screenshots below dist/screenshots"
	@echo "make test-window  watching and playing in windows on a virtual screen; screenshots below dist/screenshots"
	@echo "make lint       ruff and mypy"
	@echo "make cards      write the cards below envs/ and agents/ anew"
	@echo "make docs       build the site below dist/site, some two minutes; nothing is fetched once its tools are installed"
	@echo "make docs-links the same, and check that every link inside of it leads somewhere; list those that lead outside"
	@echo "make baselines  run the published baselines, some two hours, and write their report"
	@echo "make generalisation  run the study of goals learned instead, and write its report"
	@echo "make geometry  run PPO on every level, and write the page on the geometry of proxies; keep the machine idle"
	@echo "make speed      measure speed against peers, below experiments/speed; keep the machine idle"

demo: $(READY)
	$(BIN)/alignment-gym demo

test: $(READY)
	$(BIN)/pytest $(PYTEST_FLAGS) -m "not slow and not latex and not browser and not window and not ray"

test-slow: $(READY)
	$(BIN)/pytest $(PYTEST_FLAGS) -m slow

test-latex: $(READY)
	@command -v pdflatex > /dev/null || \
		{ echo "pdflatex is missing: apt-get install texlive-latex-base texlive-latex-recommended" >&2; exit 1; }
	$(BIN)/pytest -m latex tests/reports

test-ray: $(READY)
	$(BIN)/pip install -q -c constraints.txt -e '.[dev,ray]'
	$(BIN)/pytest -m ray

test-browser: $(READY)
	$(BIN)/python -c "import selenium" 2>/dev/null || $(BIN)/pip install -q -c constraints.txt -e '.[browser]'
	SCREENSHOTS=dist/screenshots $(BIN)/pytest -m browser tests/reports tests/viewing

test-window: $(READY)
	@for each in Xvfb xdotool import; do command -v $$each > /dev/null || \
		{ echo "$$each is missing: apt-get install xvfb xdotool imagemagick" >&2; exit 1; }; done
	SCREENSHOTS=dist/screenshots $(BIN)/pytest -m window tests/viewing

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

cards: $(READY)
	$(BIN)/alignment-gym cards

docs: $(READY)
	$(BIN)/python -c "import furo, myst_nb, mo_gymnasium" 2>/dev/null || { $(BIN)/pip install -q -c constraints.txt -e '.[docs]' \
		&& $(BIN)/pip install -q --no-deps -c constraints.txt mo-gymnasium; }  # its pygame would overwrite pygame-ce
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d dist/doctrees docs dist/site
	@echo "dist/site/index.html"

docs-links: docs
	$(BIN)/python -m sphinx -W --keep-going -q -b linkcheck -d dist/doctrees docs dist/links
	$(BIN)/python docs/links.py dist/site

baselines: $(READY)
	$(BIN)/alignment-gym study run experiments/baselines/study.toml
	$(BIN)/alignment-gym report runs/baselines -o experiments/baselines

generalisation: $(READY)
	$(BIN)/alignment-gym study run experiments/generalisation/study.toml
	$(BIN)/alignment-gym report runs/generalisation -o experiments/generalisation

geometry: $(READY)
	$(BIN)/alignment-gym study run experiments/geometry/study.toml
	$(BIN)/alignment-gym geometry runs/geometry -o experiments/geometry

speed: $(READY)
	$(BIN)/alignment-gym speed -o experiments/speed

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "alignment_gym needs Python 3.11 or newer: make PYTHON=python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -c constraints.txt -e '.[dev]'
	@touch $@
