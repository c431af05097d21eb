# Two commands: `make lab` opens the course, `make test` runs every test there is.
# Each creates the environment if it is not there yet; nothing else is needed first.

PYTHON    ?= python3
TESTS     ?= tests notebooks solutions
NOTEBOOKS ?= notebooks solutions
BIN     = .venv/bin
READY   = .venv/.ready
ROOT    = $(if $(filter 0,$(shell id -u)),--allow-root)
QUIETLY = OMP_NUM_THREADS=1 COURSE_PROGRESS=$(CURDIR)/.venv/.progress_of_tests.json

.PHONY: lab test check test-graders bench notebooks exercises site format clean

lab: $(READY)
	$(BIN)/jupyter lab $(ROOT) --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(LAB)

test: check
	$(QUIETLY) $(BIN)/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder \
	    --durations=25 --nbval --nbval-current-env --nbval-cell-timeout 60 $(TESTS)

check: $(READY)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/pre-commit run --all-files

test-graders: $(READY)
	$(QUIETLY) $(BIN)/python -m pytest --numprocesses 2 --all-seeds tests/grading/test_mutation.py
	$(QUIETLY) $(BIN)/python -m pytest -m slow tests/grading/jail

bench: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	$(BIN)/python -m benchmarks

notebooks: $(READY)
	$(BIN)/python tools/execute_notebooks.py $(NOTEBOOKS)

site: $(READY)
	rm -rf build/site
	$(BIN)/sphinx-build --fail-on-warning --keep-going --doctree-dir build/doctrees --conf-dir docs . build/site

exercises: $(READY)
	$(BIN)/course generate

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf .venv

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The course needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable ".[test,cluster,hub,site]"
	@touch $@
