# `make demo`, `make live` and `make test` are all you need: each finds Python, creates .venv from the lock file, and runs.

VENV ?= .venv
BIN := $(VENV)/bin
DEMO_OUT ?= demo-out
# Workers of pytest-xdist; TensorFlow needs about 1.5 GB in each.
TEST_WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help venv demo live test test-all lint unit fuzz docs notebooks firmware bench bench-mcu lock clean

help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(VENV)/.installed  ## Only create the Python environment.

demo: $(VENV)/.installed  ## Run the whole chain on synthetic data, up to a packaged INT8 network.
	$(BIN)/tinytracker demo --out $(DEMO_OUT)

live: $(VENV)/.installed  ## Show on a page where you look, with your webcam; no board, no training.
	$(BIN)/tinytracker live --target webcam

test: lint unit  ## Lint, types, layers, then the tests: every subject, in about ten minutes on two cores.

test-all: lint  ## The same with the exhaustive tests: every preset, long sweeps, killed workers.
	$(PYTEST)

lint: $(VENV)/.installed  ## Check style, types, and that imports only point down.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A worker takes file after file; tests/conftest.py puts the long ones first.
PYTEST = $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

unit: $(VENV)/.installed  ## Run only the tests of `make test`.
	$(PYTEST) -m "not exhaustive"

SECONDS ?= 60

fuzz: $(VENV)/.installed  ## Compare random networks on every runtime (SECONDS=60, SEED=number); keeps failures.
	PYTHONPATH=tests $(BIN)/python -m support.fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

# First the pages generated from the code; tests refuse pages that are older than the code.
docs: $(VENV)/.installed  ## Build the documentation into site/; fails on a broken link.
	$(BIN)/python -m tinytracker.package.constraints > .page && mv .page docs/constraints.md
	$(BIN)/python -m tinytracker.cli.reference > .page && mv .page docs/cli.md
	$(BIN)/python -m tinytracker.cli.documents docs
	$(BIN)/python docs/tools/decisions.py > .page && mv .page docs/decisions/README.md
	$(BIN)/python docs/tools/gaze_figures.py docs/images
	$(BIN)/python docs/tools/floors.py docs/images
	$(BIN)/python docs/tools/aim_figure.py docs/images
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

notebooks: $(VENV)/.installed  ## Write notebooks/*.ipynb from the .py files beside them, without outputs.
	for name in notebooks/*.py; do $(BIN)/jupytext --quiet --update --to ipynb $$name || exit 1; done

bench: $(VENV)/.installed  ## Measure speed; writes benchmarks/results/*.csv.
	for name in startup prepare training synth events energy link; do $(BIN)/python benchmarks/$$name.py || exit 1; done

bench-mcu: $(VENV)/.installed  ## Count on the emulated Cortex-M4 (PUBLISHED=folder of files, MLPERF=folder of MLPerf Tiny's models).
	$(BIN)/python benchmarks/mcu.py $(if $(PUBLISHED),--published $(PUBLISHED))
	$(BIN)/python benchmarks/multicore.py $(if $(PUBLISHED),--published $(PUBLISHED))
	$(if $(MLPERF),$(BIN)/python benchmarks/mlperf_tiny.py $(MLPERF))

firmware: $(VENV)/.installed  ## Compile the firmware of the emulated and the Coral board, and print sizes (MODEL=file.tflite).
	$(BIN)/python deploy/build_firmware.py $(if $(MODEL),--model $(MODEL))
	$(MAKE) -C deploy/coralmicro

lock: $(VENV)/.installed  ## Resolve the newest versions that pyproject.toml allows.
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.10 \
	  --generate-hashes --output-file requirements/lock.txt --upgrade

clean:  ## Remove the environment and all generated files.
	rm -rf $(VENV) $(DEMO_OUT) site .page .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The stamp is written last: an interrupted installation resumes at the next start.
$(VENV)/.installed: requirements/lock.txt pyproject.toml
	@python=$$(PYTHON="$(PYTHON)" requirements/find-python) && { [ -x $(BIN)/pip ] || "$$python" -m venv --clear $(VENV); }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	@rm -rf tinytracker.egg-info # the distribution's former name; its remains would be found beside the new one
	$(BIN)/python -m pip uninstall -qq --yes tinytracker
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
