# Two commands: `make dev` starts the whole server on embedded defaults, `make test` runs every test.
# The rest is for whoever works on Sluice; `make help` lists it.

PYTHON ?= python3
SLUICE_FLAGS ?=

.PHONY: help dev build release test test-unit lint fmt golden bench fuzz

help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

dev: ## installs what is missing, builds, starts `sluice dev`
	@deploy/install.sh build
	@echo "building sluice: some minutes the first time, seconds afterwards"
	@cargo build --quiet --bin sluice --message-format short
	@exec $${CARGO_TARGET_DIR:-target}/debug/sluice dev $(SLUICE_FLAGS)

build: ## builds the debug binary
	@deploy/install.sh build
	cargo build --bin sluice

release: ## builds the binary that is shipped: target/release/sluice
	@deploy/install.sh build
	cargo build --release --bin sluice

test: ## every test, on real Postgres and real Kafka that it brings up and stops
	@deploy/install.sh build test
	@$(PYTHON) compat-tests/run.py

test-unit: ## what needs neither Postgres nor Kafka
	cargo test --workspace --lib --bins

lint: ## format and lints, as CI checks them
	cargo fmt --all --check
	cargo clippy --workspace -- -D warnings

fmt: ## formats the code
	cargo fmt --all

golden: ## only the recorded exchanges of the reference, against the debug binary
	@deploy/install.sh build test
	@$(PYTHON) compat-tests/run.py golden

bench: ## speed, as ratios measured in one run; prints a table, writes bench-results/
	@deploy/install.sh build test bench
	@$(PYTHON) compat-tests/bench/run.py

fuzz: ## every fuzz target, briefly (SECONDS=20 each)
	@deploy/install.sh build
	@fuzz/run.sh
