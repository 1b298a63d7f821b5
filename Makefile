# The index that PyTorch comes from; without an NVIDIA card, the CPU build saves several gigabytes:
#   make serve TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
PYTHON ?= python3
# Where the poems come from (an archive or a directory of chinese-poetry; empty: a download), and the ci if
# they are elsewhere; where they are kept, where a run writes, and its options (docs/model.md).
SOURCE ?=
CI_SOURCE ?=
CORPUS ?= corpus
RUN ?= runs/poetry
RECIPE ?= --name yin-lstm-12m --steps 12700 --warmup-steps 200 --decay-share 0.6

bin := .venv/bin
quietly := --quiet --disable-pip-version-check
pip := $(bin)/python -m pip install $(quietly) -c constraints.txt

.PHONY: setup serve test train corpus bench bench-http clean
.DELETE_ON_ERROR:

setup: .venv/ready-test

# Installs what serving needs into a new environment: every wheel is verified by hash except PyTorch,
# which comes from one of several indexes.
define install-service
@echo "$(1): an environment of $$($(PYTHON) --version)"
@$(PYTHON) -m venv $(1)
@echo "$(1): what serving needs (requirements.txt)"
@$(1)/bin/python -m pip install $(quietly) --require-hashes --no-deps -r requirements.txt
@echo "$(1): PyTorch, $(if $(TORCH_INDEX),from $(TORCH_INDEX),with CUDA: several gigabytes); this takes minutes"
@$(1)/bin/python -m pip install $(quietly) -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
@echo "$(1): Yin itself"
@$(1)/bin/python -m pip install $(quietly) --no-deps -e .
@touch $(1)/ready
endef

.venv/ready: pyproject.toml constraints.txt requirements.txt
	$(call install-service,.venv)

# What training, tests and benchmarks need in addition.
.venv/ready-test: .venv/ready
	@echo ".venv: what training and tests need"
	@$(pip) -e '.[test,training]'
	@touch $@
	@echo ".venv: ready"

serve: .venv/ready
	$(bin)/yin serve

test: .venv/ready-test
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/python -m pytest

# Paths reach the commands by the environment, so that they may have any characters in them.
export CORPUS SOURCE CI_SOURCE RUN

corpus: .venv/ready-test
	test -f "$$CORPUS/report.json" || \
		$(bin)/python -m training.corpus --out "$$CORPUS" $${SOURCE:+--source "$$SOURCE"} \
			$${CI_SOURCE:+--ci-source "$$CI_SOURCE"}

# From the corpus to a checkpoint in one run. A run that was stopped, or killed, is continued by the same command.
train: corpus
	$(bin)/python -m training.train --corpus "$$CORPUS" --out "$$RUN" $(RECIPE)

bench: .venv/ready-test
	$(bin)/python -m benchmarks.lstm
	$(bin)/python -m benchmarks.engine
	$(bin)/python -m benchmarks.guide

# The same model behind other servers: a separate command, since they bring many packages.
bench-http: .venv/ready-test
	$(pip) -e '.[bench]'
	$(bin)/python -m benchmarks.http

# Describes what is served: build/sbom.json (CycloneDX) and build/licences.txt; fails on a licence that
# would bind whoever serves it.
build/service/ready: requirements.txt constraints.txt
	$(call install-service,build/service)

build/tools/ready: Makefile
	$(PYTHON) -m venv build/tools
	build/tools/bin/python -m pip install $(quietly) cyclonedx-bom==7.5.0 pip-licenses==5.5.5 uv==0.13.8
	touch $@

sbom: build/service/ready build/tools/ready
	build/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application \
		--output-reproducible --of JSON -o build/sbom.json build/service/bin/python
	build/tools/bin/pip-licenses --python build/service/bin/python --from mixed --partial-match \
		--fail-on "GPL;General Public;SSPL;Commons Clause;UNKNOWN" --output-file build/licences.txt

# Makes requirements.txt from constraints.txt, after any change to it: the same versions with the hash of every wheel
# and source archive that the index has. It includes what every
# build of PyTorch needs, which would otherwise come from PyTorch's index in whatever version is there.
lock: build/tools/ready
	$(PYTHON) -c 'import tomllib; print("filelock", "fsspec", "jinja2", "networkx", "setuptools", "sympy", *(name for name in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"] if name != "torch"), sep="\n")' \
		| build/tools/bin/uv pip compile - --quiet --constraints constraints.txt --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command "make lock" -o requirements.txt

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
