# What a person does with pyqemu_edu.  Nothing but make and a Python is needed: the rest is put into .venv.

VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready
JOBS   ?= 2
# A file's tests, and a notebook's cells, stay together in one process and in order.
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist loadfile
NBVAL  := --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-kernel-name python3
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
# JupyterLab asks root, who is the only one there in many containers, to say so.
LAB    := $(BIN)/python -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: lab
lab: $(READY) ## Open the walkthrough in JupyterLab
	@$(BIN)/jupyter trust $(NOTEBOOKS) >/dev/null 2>&1 || true  # else committed pictures are hidden until a cell is run
	$(LAB) $(LAB_FLAGS) notebooks/00_tour.ipynb

.PHONY: test
test: $(READY) ## Run everything: tests, style, types, notebooks
	$(PYTEST) $(NBVAL) $(PYTEST_FLAGS) tests $(NOTEBOOKS)

.PHONY: check
check: $(READY) ## Format, lint, types and layers, in less than a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py tests/test_qemu_map.py tests/test_left_out.py tests/test_environment.py

.PHONY: format
format: $(READY) ## Let ruff put the source into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: words
words: $(READY) ## Put command lines out of a grammar to us and to the real QEMU: LINES=2000
	GRAMMAR_EXAMPLES=$(or $(LINES),2000) $(BIN)/python -m pytest -q tests/test_grammar.py -k live

.PHONY: fuzz
fuzz: $(READY) ## Compare random programs with the real QEMU: SECONDS=600 SEED=1
	$(BIN)/python -m pyqemu_edu.real.fuzz --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)

.PHONY: conformance
conformance: $(READY) ## Run a folder of test programs on the real QEMU and on ours: SUITE=riscv-tests/isa OPTIONS="-smp 2"
	$(BIN)/python -m pyqemu_edu.real.conformance $(SUITE) --options "$(OPTIONS)" $(CONFORMANCE_FLAGS)

.PHONY: diagrams
diagrams: $(READY) ## Draw diagrams/ again from real recordings
	$(BIN)/python -m diagrams.build

.PHONY: bench
bench: $(READY) ## Measure speed and what recording costs, beside whoever else is installed
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/trace_overhead.py

.PHONY: notebooks
notebooks: $(READY) ## Run all notebooks and save them with their outputs
	$(BIN)/python tools/execute_notebooks.py $(NOTEBOOKS)

.PHONY: docs
docs: $(READY) ## Write the generated pages docs/qemu-map.md, docs/left-out.md and docs/departures.md
	$(BIN)/python tools/qemu_map.py
	$(BIN)/python tools/left_out.py
	$(BIN)/python tests/departures.py

.PHONY: fidelity
fidelity: $(READY) ## Ask a real QEMU 7.2 and ours everything, and write docs/fidelity.md
	$(BIN)/python tests/fidelity.py

.PHONY: requirements
requirements: ## Choose the versions in requirements.txt anew (needs uv)
	uv pip compile pyproject.toml --group test --universal --python-version 3.11 --generate-hashes \
		--upgrade --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.txt

.PHONY: clean
clean: ## Remove .venv and everything that tools left behind
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- .venv: by uv where it is installed, by Python's own venv and pip where it is not --------------------------------

NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))

$(READY): requirements.txt pyproject.toml
	@echo "Preparing $(VENV), which takes up to a minute"
	@set -e; \
	for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
		if "$$python" -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python "$${found:-3.11}" $(VENV); \
		uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt; \
		uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps -e .; \
	elif [ -z "$$found" ]; then \
		echo "pyqemu_edu needs Python 3.11 or newer. Install it, or say where it is: make PYTHON=/path/to/python3" >&2; exit 1; \
	elif ! "$$found" -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$found cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv. Or install uv." >&2; exit 1; \
	else \
		"$$found" -m venv $(VENV); \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .; \
	fi
	@$(BIN)/jupyter labextension disable --level=sys_prefix @jupyterlab/apputils-extension:announcements >/dev/null 2>&1
	@touch $@
