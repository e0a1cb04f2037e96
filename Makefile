# `make demo` and `make test` need Python 3.11+ with venv, and make; they set up the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test fuzz format clean
.DELETE_ON_ERROR:

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.demo: $(BIN)/uv pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable . --group dev --group infra
	@touch $@

# `cdk synth` runs where npm is; elsewhere its tests skip with a reason.
node_modules/.package-lock.json: package.json package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund; \
	else echo "no npm: cdk is not installed"; fi

## demo: build examples/blog, run its zips locally, request every route
demo: $(VENV)/.demo
	$(BIN)/routelet build --root examples/blog
	$(BIN)/python examples/demo.py examples/blog

## test: everything that CI runs
test: $(VENV)/.test node_modules/.package-lock.json
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadscope

## fuzz: the broken events of the runtime's tests, for some minutes
fuzz: $(VENV)/.test
	$(BIN)/python -m pytest tests/runtime/test_broken_events.py --hypothesis-profile=fuzz

## format: what `make test` would complain about, where a tool can mend it
format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) node_modules examples/*/dist
