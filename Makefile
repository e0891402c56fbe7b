# Two commands matter: `make up` runs the product, `make test` tries everything. The rest serves its developers.
# A fresh machine needs Python 3.11 or later, make and git; `cluster` and the tests ask for nginx, Java and Maven besides.

# The first Python that is new enough and can make an environment: the system's own before the PATH's, since version
# managers often build theirs without profiles, and such a one is slower. `make
# PYTHON=/path/to/python3.13 …` names another.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
SOURCES := services shared deploy tests benchmarks docs
TYPED := $(wildcard services/*/src shared/*/src deploy/embedded/src) deploy/setup docs tests benchmarks
KAFKA_LIB := .cache/kafka/lib

.DEFAULT_GOAL := help
.PHONY: help setup up cluster compose-keys test lint fmt docs lock soak spark bench-purchase bench-chain bench-scoring bench-nightly clean

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

up: .venv/installed  ## run the product: make up ARGS="--port 9000 --sample none"
	@exec $(BIN)/regulars up $(ARGS)

cluster: .venv/installed $(KAFKA_LIB)/complete  ## run it as separate processes, on Kafka and nginx: make cluster ARGS="--port 9000"
	@bash deploy/setup/programs.sh nginx java
	@exec $(BIN)/regulars cluster $(ARGS)

compose-keys:  ## make the keys that `docker compose up` needs, once
	@$(PYTHON) deploy/docker/keys.py

test: lint $(KAFKA_LIB)/complete  ## everything: style, types, import rules, tests on real PostgreSQL and Kafka
	@bash deploy/setup/programs.sh nginx java
	$(BIN)/pytest $(ARGS)

lint: .venv/installed  ## style, types and import rules alone
	$(BIN)/ruff check $(wildcard $(SOURCES))
	$(BIN)/ruff format --check $(wildcard $(SOURCES))
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports

fmt: .venv/installed  ## put the sources in order
	$(BIN)/ruff check --fix $(wildcard $(SOURCES))
	$(BIN)/ruff format $(wildcard $(SOURCES))

docs: .venv/installed  ## write the generated tables again; JSON="purchase.json chain.json scoring.json": the README's figures too
	$(BIN)/python docs/tables.py $(JSON)
	$(BIN)/python -m regulars.distributed.documents deploy/gateway/routes.conf

soak: KILLS = 50
soak: CHAIN_KILLS = 100
soak: .venv/installed .venv/spark $(KAFKA_LIB)/complete  ## kill the running product under load and count what was lost; compare engines
	@bash deploy/setup/programs.sh nginx java
	REGULARS_TEST_KILLS=$(KILLS) $(BIN)/pytest -n0 -q -s tests/system/test_killed_under_load.py $(ARGS)
	REGULARS_TEST_KILLS=$(CHAIN_KILLS) $(BIN)/pytest -n0 -q -s tests/system/test_chain_killed.py $(ARGS)
	$(BIN)/pytest -n0 -q tests/scoring/soak_spark.py $(ARGS)

bench-purchase: .venv/installed  ## how fast a purchase is beside its limit: make bench-purchase JSON=figures.json
	$(BIN)/python benchmarks/purchase.py $(if $(JSON),--json $(JSON)) $(ARGS)

bench-chain: .venv/installed $(KAFKA_LIB)/complete  ## how soon a purchase is a score, a segment and a webhook: make bench-chain JSON=figures.json
	@bash deploy/setup/programs.sh nginx java
	$(BIN)/python benchmarks/chain.py $(if $(JSON),--json $(JSON)) $(ARGS)

bench-scoring: .venv/installed  ## what scoring takes beside lifetimes and pymc-marketing: make bench-scoring JSON=figures.json
	$(BIN)/python benchmarks/scores.py $(if $(JSON),--json $(JSON)) $(ARGS)

bench-nightly: .venv/installed  ## what a run over a million customers takes, and the tills beside it: make bench-nightly JSON=figures.json
	$(BIN)/python benchmarks/nightly.py $(if $(JSON),--json $(JSON)) $(ARGS)

# Pins that need not move stay; `make lock ARGS=--upgrade` moves them all. No index address is written down.
lock: .venv/installed  ## pin every dependency with its hashes
	@uv=$$(command -v $(BIN)/uv uv | head -1); $$uv pip compile --quiet pyproject.toml --group dev --universal \
		--python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		$(foreach package,$(wildcard services/*/src/* shared/*/src/* deploy/*/src/*),--no-emit-package $(notdir $(package))) \
		--output-file requirements.lock $(ARGS); \
	$$uv pip compile --quiet services/scoring/pyproject.toml --extra spark --constraint requirements.lock --universal \
		--python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		$(foreach package,$(wildcard services/*/src/* shared/*/src/* deploy/*/src/*),--no-emit-package $(notdir $(package))) \
		--output-file requirements-spark.lock $(ARGS)

spark: .venv/spark  ## fetch what `regulars score --engine spark` needs besides: some 600 MB, and Java

setup: .venv/installed $(KAFKA_LIB)/complete  ## fetch what `up` and `test` need, and nothing else

clean:  ## remove what was fetched and built; the product's data in .regulars stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(wildcard $(SOURCES)) -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: requirements.lock deploy/setup/environment.py $(wildcard services/*/pyproject.toml shared/*/pyproject.toml deploy/*/pyproject.toml)
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or later is needed, and none is on the PATH." >&2; exit 1; fi
	@echo "Setting up the environment (once)…"
	@$(PYTHON) deploy/setup/environment.py
	@touch $@

.venv/spark: .venv/installed requirements-spark.lock
	@bash deploy/setup/programs.sh java
	@echo "Fetching Spark (once)…"
	@$(PYTHON) deploy/setup/environment.py requirements-spark.lock
	@touch $@

$(KAFKA_LIB)/complete: deploy/kafka/pom.xml deploy/setup/broker.sh
	@echo "Fetching a Kafka broker (once)…"
	@bash deploy/setup/programs.sh java mvn nginx
	@bash deploy/setup/broker.sh $(KAFKA_LIB)
	@touch $@
