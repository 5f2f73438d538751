# Needs make and Python 3.11 or newer; everything else goes into .venv, when pyproject.toml has changed.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11
RECENT := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

.PHONY: test demo docs pictures bench clean
.DEFAULT_GOAL := test

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n auto --maxprocesses 8

demo: $(READY)
	@$(BIN)/gptcount breakdown gpt3

# What README.md and docs/ show, written anew from what the program prints.
docs: $(READY)
	@$(BIN)/python docs/make_library.py
	@$(BIN)/python tests/test_docs.py --write
	@$(BIN)/python tests/test_notebook.py --write

# The pictures of README.md, drawn anew.
pictures: $(READY)
	@$(BIN)/python docs/make_pictures.py

bench: $(READY)
	@$(BIN)/python bench/bench.py $(if $(QUICK),--quick)

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find gptcount tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# The last step writes the stamp: what broke off halfway is done again.
$(READY): pyproject.toml
	@$(BIN)/python $(RECENT) 2>/dev/null && $(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  for candidate in $(CANDIDATES); do \
	    if "$$candidate" $(RECENT) 2>/dev/null; then found=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "gptcount needs Python 3.11 or newer; none of these is: $(CANDIDATES)" >&2; exit 1; \
	  fi; \
	  if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$found cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	  fi; \
	  "$$found" -m venv --clear $(VENV); \
	}
	@echo "setting up $(VENV), once: this takes a minute" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@
