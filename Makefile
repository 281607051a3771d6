# `make help` lists the targets. Each installs what it needs, or says exactly what is missing.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test check fmt lint tidy codegen bench sdk clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: ## build and start irongate (RELEASE=1 optimised, LISTEN=host:port); mock providers when there is no provider key
	@scripts/run.sh

test: ## everything that must hold: format, rules, lints, tests, official SDKs as clients
	@scripts/test.sh

check: ## quick look while editing: types of everything, and the house rules
	@. scripts/lib.sh && need_rust
	cargo check --workspace --all-targets
	cargo run -q -p xtask -- tidy

fmt: ## format the code
	@. scripts/lib.sh && need_rust
	cargo fmt --all
	cargo fmt --manifest-path bench/Cargo.toml

lint: ## clippy, with warnings as errors
	@. scripts/lib.sh && need_rust
	cargo clippy --workspace --all-targets -- -D warnings

tidy: ## the house rules alone
	@. scripts/lib.sh && need_rust
	cargo run -q -p xtask -- tidy

codegen: ## write generated files
	@. scripts/lib.sh && need_rust
	cargo run -q -p xtask -- codegen

sdk: ## official SDKs as clients against a running gateway (ARGS=... goes to pytest)
	@. scripts/lib.sh && need_rust && need_venv "$$ROOT/tests/sdk/.venv" "$$ROOT/tests/sdk/requirements.txt"
	cargo build -p gateway
	tests/sdk/.venv/bin/python -m pytest tests/sdk $(ARGS)

bench: ## CPU, latency and memory next to nginx on this machine (QUICK=1 short rounds, WRITE=1 into docs/performance.md)
	@scripts/bench.sh

clean: ## delete what was built; configuration and data stay
	cargo clean
	rm -rf bench/target tests/sdk/.venv
