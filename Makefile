# PyTorch from an index of your choice; without an NVIDIA card the CPU build saves gigabytes:
#   make serve TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
PYTHON ?= python3
CORPUS ?= corpus
SOURCE ?=

bin := .venv/bin
pip := $(bin)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: setup serve test train corpus bench bench-http clean
.DELETE_ON_ERROR:

setup: .venv/ready-test

# What serving needs.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(pip) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(pip) -e .
	touch $@

# What training, tests and benchmarks need besides.
.venv/ready-test: .venv/ready
	$(pip) -e '.[test,training]'
	touch $@

serve: .venv/ready
	$(bin)/yin serve

test: .venv/ready-test
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/python -m pytest

$(CORPUS)/report.json: | .venv/ready-test
	$(bin)/python -m training.corpus --out $(CORPUS) $(if $(SOURCE),--source $(SOURCE))

corpus: $(CORPUS)/report.json

train: $(CORPUS)/report.json
	$(bin)/python -m training.train --corpus $(CORPUS)

bench: .venv/ready-test
	$(bin)/python -m benchmarks.lstm
	$(bin)/python -m benchmarks.engine

# The same model behind other servers; they are many packages, so this is a command of its own.
bench-http: .venv/ready-test
	$(pip) -e '.[bench]'
	$(bin)/python -m benchmarks.http

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
