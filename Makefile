# rpm-ledger: everything a person or a CI machine needs, from a bare Python 3.11 or newer.

PYTHON ?= python3
VENV ?= .venv
PORT ?=
KEEP ?=
ARGS ?=
BROWSER ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# a list of versions holds no condition: this package exists for some machines only
ATHERIS := ; sys_platform == "linux" and platform_machine == "x86_64" and python_version < "3.14"
CODE := rpm devices billing tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help run demo-claims test browser check bench promises mutation screenshots lock clean

help: ## show this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'

run: $(VENV)/.runtime ## start the demo practice (ARGS=--no-serve ends after the export; PORT=8000; KEEP=1)
	@$(BIN)/rpm-ledger demo $(if $(PORT),--port $(PORT)) $(if $(filter-out 0,$(KEEP)),--keep) $(ARGS)

demo-claims: $(VENV)/.dev ## bill the demo's January through a rehearsal clearinghouse over SFTP (ARGS=--help)
	@$(BIN)/rpm-ledger demo claims $(ARGS)

test: $(VENV)/.dev $(if $(filter no,$(BROWSER)),,browser) ## run every test, on SQLite and on PostgreSQL (BROWSER=no leaves pages out)
	@$(BIN)/python -m pytest -n 2 $(if $(filter no,$(BROWSER)),--no-browser) $(ARGS)

browser: ## see to the Chromium of the tests of pages: there, or installed by apt when root
	@command -v chromium >/dev/null || test -n "$$RPMLEDGER_TEST_CHROMIUM" \
	|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "installing the package chromium for the tests of pages ..." \
	     && apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null; } \
	|| { echo "the tests of pages need a browser: install the package chromium, or run: make test BROWSER=no" >&2; exit 1; }

check: $(VENV)/.dev ## lint, formatting, types and import contracts
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev ## measure close, dashboard, coding and remittances, and write docs/performance.md
	$(BIN)/python -m benchmarks.close
	$(BIN)/python -m benchmarks.dashboard
	$(BIN)/python -m benchmarks.coding
	$(BIN)/python -m benchmarks.remittances
	$(BIN)/python -m benchmarks.report

promises: $(VENV)/.dev browser ## try every promise in full, and write docs/promises.md
	-@$(BIN)/python -m pytest -m alone tests/promises --promises-kept var/promises.json $(ARGS)
	@$(BIN)/python -m pytest -n 2 -m "not alone" tests/promises tests/simulation tests/browser --promises-kept var/promises.json --promises-page docs/promises.md $(ARGS)

mutation: $(VENV)/.dev ## try small wrong changes of the billing rules, and write docs/mutation.md
	@PYTHONPATH=tests $(BIN)/python -m mutation $(ARGS)

screenshots: $(VENV)/.dev browser ## work the demo's month in a browser, and draw its pages into docs/guide
	@PYTHONPATH=tests $(BIN)/python -m screenshots $(ARGS)

lock: ## resolve pyproject.toml anew into the two lock lists
	rm -rf var/lock && $(PYTHON) -m venv var/lock
	var/lock/bin/python -m pip install --quiet --disable-pip-version-check '.[postgres]'
	{ sed -n 1p requirements.lock; var/lock/bin/python -m pip freeze --exclude rpm-ledger; } > var/lock/runtime
	var/lock/bin/python -m pip install --quiet --disable-pip-version-check '.[postgres,dev]'
	{ sed -n 1,2p requirements-dev.lock; var/lock/bin/python -m pip freeze --exclude rpm-ledger | grep -vxF -f var/lock/runtime | sed 's/^atheris==.*/& $(ATHERIS)/'; } > var/lock/dev
	mv var/lock/runtime requirements.lock && mv var/lock/dev requirements-dev.lock && rm -rf var/lock

clean: ## remove the virtual environment, caches and the demo's database
	rm -rf $(VENV) var build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache htmlcov .coverage
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "rpm-ledger needs Python 3.11 or newer; name one with PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The stamps make an installation run again only when what it installs from has changed.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing rpm-ledger into $(VENV) ..."
	@$(PIP) install --quiet -r requirements.lock
	@$(PIP) install --quiet --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "installing test and check tools into $(VENV) ..."
	@$(PIP) install --quiet -r requirements-dev.lock
	@touch $@
