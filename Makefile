# Everything a developer does. `make` alone prints this list.
# Another interpreter: `make PYTHON=python3.12 test` (it counts only when .venv is made).

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check install --quiet

# "dead": the environment cannot run (its interpreter is gone or was replaced), or it was made for another
# directory and would import the sources there. It is then made anew.
VENV_STATE := $(shell $(RUN) -c 'import pip' 2>/dev/null \
	&& { test ! -e $(VENV)/made-for || grep -qxF '$(CURDIR)' $(VENV)/made-for; } || echo dead)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test test-long sim lint format docs bench clean dead

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/runtime ## Run the stories of one chain, of four businesses on it, and of five chains
	@$(RUN) examples/demo.py
	@$(RUN) examples/scenarios.py
	@$(RUN) examples/multichain.py

# Coverage is counted where tests mirror the source and where whole paths run: it more than doubles the time of what
# repeats the same code thousands of times, and finds nothing new there.
COUNTED := tests/unit tests/conformance tests/integration
PYTEST := $(RUN) -m pytest -n 2 --dist worksteal

test: lint ## Check everything: lint, tests with coverage, examples, docs
	@$(MAKE) --no-print-directory docs & docs=$$!; \
	$(PYTEST) --cov --cov-branch --cov-fail-under=95 $(COUNTED); counted=$$?; \
	$(PYTEST) tests $(COUNTED:%=--ignore=%); repeated=$$?; \
	wait $$docs && exit $$((counted | repeated))

test-long: $(VENV)/dev ## Run all tests, the long ones too
	$(RUN) -m pytest -n 2 -m "" --hypothesis-profile=long

sim: $(VENV)/dev ## Run all simulations: thousands of seeds with faults and traitors (CHAINSTACK_SIM_SEED=... for others)
	$(RUN) -m pytest -n 2 -m "" tests/simulation

lint: $(VENV)/dev ## Check style, formatting and types
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy --strict src

format: $(VENV)/dev ## Format the code and apply the safe fixes
	$(RUN) -m ruff check --fix
	$(RUN) -m ruff format

docs: $(VENV)/dev ## Build the documentation into docs/_build/html
	$(RUN) -m sphinx -E -W --keep-going -q -b html docs docs/_build/html

bench: $(VENV)/dev ## Measure, print a table, write benchmarks/results/
	$(RUN) -m benchmarks

clean: ## Remove the environment, the caches and everything built
	rm -rf $(VENV) build dist docs/_build .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src -name "*.abi3.so" -delete
	find src tests examples benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

define CHECK_PYTHON
import sys
if sys.version_info < (3, 11):
    sys.exit("chainstack_sdk needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0]
        + ". Name another: make PYTHON=python3.12 ...")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("$(PYTHON) cannot make virtual environments: its venv or ensurepip module is not installed. "
        "On Debian and Ubuntu: apt install python3-venv")
endef
export CHECK_PYTHON

$(VENV)/made-for: $(if $(VENV_STATE),dead)
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON) on the path; name one: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c "$$CHECK_PYTHON"
	@$(if $(VENV_STATE),rm -rf $(VENV) && $(PYTHON) -m venv $(VENV))
	@echo '$(CURDIR)' > $@

BUILT_FROM = pyproject.toml hatch_build.py $(wildcard src/chainstack_sdk/*/_*.[ch] src/chainstack_sdk/*/*/_*.[ch])

$(VENV)/runtime: $(BUILT_FROM) $(VENV)/made-for
	@echo "Installing chainstack_sdk into $(VENV)"
	@$(PIP) --editable '.[sandbox]'
	@touch $@

$(VENV)/dev: $(BUILT_FROM) $(VENV)/made-for
	@echo "Installing chainstack_sdk and its development tools into $(VENV)"
	@$(PIP) --editable '.[dev]'
	@touch $(VENV)/runtime $@
