# `make demo` runs a real study end to end; `make test` passes the tests. Both set up all they need in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# Runs call `python`, and shall find the one that has what the examples need.
IN_VENV := PATH="$(CURDIR)/$(BIN):$$PATH"
UV := $(shell command -v uv 2>/dev/null)
# The first of these that is there and new enough.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)

.PHONY: help demo test unit lint examples clusters campaign package bench clean

help:  ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/demo.stamp  ## run examples/digits and print its report
	$(IN_VENV) xpc -C examples/digits submit
	$(IN_VENV) xpc -C examples/digits report
	$(IN_VENV) xpc -C examples/digits plot
	mkdir -p build && $(IN_VENV) xpc -C examples/digits plot curves -o "$(CURDIR)/build/curves.svg"

test: $(VENV)/test.stamp  ## set up and run the tests
	$(BIN)/python -m pytest -n auto -q -m "not slow"

unit: $(VENV)/test.stamp  ## the tests that run no whole study, in half the time
	$(BIN)/python -m pytest -n auto -q -m "not slow and not whole"

lint: $(VENV)/dev.stamp  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

examples: $(VENV)/dev.stamp  ## run every example as its own README says
	$(BIN)/python -m pytest -q -m slow

clusters: $(VENV)/dev.stamp  ## as root: start a SLURM and an OAR on this machine and run the tests that need them
	tests/clusters/slurm up
	tests/clusters/oar up
	tests/clusters/podman up
	XPC_CLUSTERS=1 $(BIN)/python -m pytest -n 4 --dist loadgroup -q tests/clusters -m "not slow and not alone"
	XPC_CLUSTERS=1 $(BIN)/python -m pytest -q tests/clusters -m alone

campaign: $(VENV)/dev.stamp  ## as root, with the clusters up: 1,000 faults on this machine, SLURM and OAR
	cd tests && $(CURDIR)/$(BIN)/python -m campaign --seed 1 --faults 1000 --on local,slurm,oar

package: $(VENV)/dev.stamp  ## build sdist and wheel, install the wheel in a clean environment, use it there
	rm -rf build/package && mkdir -p build/package
	$(BIN)/python -m build --outdir build/package .
	$(PYTHON) -m venv build/package/venv
	build/package/venv/bin/python -m pip install --quiet build/package/xpc-*.whl
	cp -r examples/first build/package/first && rm -rf build/package/first/.xpc build/package/first/runs
	cd build/package/first && git init --quiet . && ../venv/bin/xpc check && ../venv/bin/xpc submit && ../venv/bin/xpc report

bench: $(VENV)/dev.stamp  ## print the tables of benchmarks/
	for name in check_startup build_command build_points plan_arrays local_runs shim_cost answers; do \
		echo "== $$name"; $(BIN)/python benchmarks/$$name.py; done

FUZZ_SECONDS ?= 60
fuzz: $(VENV)/fuzz.stamp  ## search for inputs that break a reader, a minute each (FUZZ_SECONDS)
	for target in parser study query yaml csv records words; do \
		echo "== $$target"; $(BIN)/python tests/fuzz/run.py $$target -max_total_time=$(FUZZ_SECONDS) -timeout=30 -verbosity=0; done

clean:  ## remove what make and the examples have made
	chmod -R u+w examples/*/.xpc examples/*/runs 2>/dev/null || true
	rm -rf $(VENV) build dist examples/*/.xpc examples/*/runs .pytest_cache .mypy_cache .ruff_cache

# One environment; each stamp adds a dependency group to it.
$(VENV)/made.stamp:
	@test -n "$(PYTHON)" || { echo "xpc needs Python 3.11 or newer; none was found" >&2; exit 1; }
ifdef UV
	$(UV) venv --quiet --allow-existing --seed --python $(PYTHON) $(VENV)
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
endif
	touch $@

$(VENV)/%.stamp: $(VENV)/made.stamp pyproject.toml
ifdef UV
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --editable . --group $*
else
	$(BIN)/python -m pip install --quiet --editable . --group $*
endif
	touch $@
