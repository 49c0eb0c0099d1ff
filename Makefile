# Two commands matter: `make demo` and `make test`. They need Python 3.11 or newer, and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest -q
# Tools that load Django's settings get a data folder of their own, so that ./var stays as it is.
SCRATCH := HEARD_TESTING=1 HEARD_DATA=.mypy_cache/data
INSTALLED := $(VENV)/installed
# What a run is told in addition: make test ARGS="-k inbox"
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test check test-postgres browser servers chaos bench fuzz docs css room connector requirements

help: ## say what each target does
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

setup: $(INSTALLED) ## put everything to run and to check into .venv, from hashed requirements

# Touched last: an interrupted set-up is taken up where it was left.
$(INSTALLED): requirements/check.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Heard needs Python 3.11 or newer: install it, or name it with make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make environments (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Setting up $(VENV): a minute or two, the first time only."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/check.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(INSTALLED)

demo: setup ## a demo company with a simulated public, in your browser; Ctrl-C stops it
	@exec $(BIN)/heard demo $(ARGS)

test: setup check ## linters, types, contracts, and the whole suite on SQLite
	$(PYTEST) -n $(JOBS) $(ARGS)

check: setup ## linters, types and contracts alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p .mypy_cache/data
	$(SCRATCH) $(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Connectors, their kit and the pages' parts know no database: they run once, in make test.
test-postgres: setup ## everything that touches a database, on a throw-away PostgreSQL (Debian: postgresql)
	$(BIN)/python -m tests.servers.postgres -- $(PYTEST) -n $(JOBS) heard/domains tests $(ARGS)

browser: setup ## journeys in Chromium, each page checked for accessibility (Debian: chromium)
	HEARD_TESTS=browser $(PYTEST) -n $(JOBS) -m browser $(ARGS)

servers: setup ## install and use real servers: Mastodon, Bluesky, mail, PostgreSQL, RabbitMQ
	@set -e; for file in tests/servers/*_install.py; do name=$${file##*/}; $(BIN)/python -m tests.servers.$${name%.py}; done
	HEARD_TESTS=servers $(PYTEST) -m servers $(ARGS)

chaos: setup ## kill anything anywhere, for a long while, and compare what stands afterwards
	HEARD_TESTS=chaos $(PYTEST) -m chaos --timeout=7200 $(ARGS)

fuzz: setup ## property-based tests in their long form
	HEARD_TESTS=fuzz $(PYTEST) -m fuzz --timeout=7200 $(ARGS)

bench: setup ## measure, as ratios in one run, and keep the results in benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks $(ARGS)

docs: setup ## write the generated reference anew
	$(SCRATCH) $(BIN)/python -m heard.config.reference $(ARGS)

css: setup ## join the style sheet and the icons that pages are served
	$(BIN)/python -m heard.ui.build

room: setup ## a new room that passes all checks: make room NAME=promotions
	@test -n "$(NAME)" || { echo "Name it: make room NAME=promotions" >&2; exit 2; }
	@$(BIN)/python -m heard.config.scaffold_room "$(NAME)"

connector: setup ## a new connector that passes the conformance suite: make connector NAME=pigeon
	@test -n "$(NAME)" || { echo "Name it: make connector NAME=pigeon" >&2; exit 2; }
	@$(BIN)/python -m heard.connectorkit.scaffold "$(NAME)"

# Not after set-up: that installs what this writes.
requirements: ## resolve requirements/*.in anew, with hashes
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@set -e; cd requirements; compile() { ../$(BIN)/uv pip compile --quiet --generate-hashes --universal --no-header --python-version 3.11 "$$@"; }; \
	compile check.in -o check.txt; compile -c check.txt run.in -o run.txt; compile -c check.txt s3.in -o s3.txt; \
	compile servers.in -o servers.txt; compile s3-server.in -o s3-server.txt
