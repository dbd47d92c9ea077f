# Short names for long commands. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run down test check audit bench chaos

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start everything and run the sample job; services stay up
	@deploy/local/run.sh

down: ## Stop what `make run` started
	@deploy/local/down.sh

test: ## Run all tests with a throw-away PostgreSQL and RabbitMQ
	@deploy/local/test.sh

check: ## Check format, lints, scripts, documentation and architecture
	@deploy/local/toolchain.sh --lints
	cargo fmt --all --check
	deploy/local/shellcheck.sh
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace --locked
	cargo test -p it --test architecture --locked

audit: ## Check dependencies: licences, sources, bans and security advisories
	@deploy/local/audit.sh

bench: ## Measure, and print the table of docs/performance.md
	@deploy/local/bench.sh

chaos: ## Kill, stop and wipe servers and services while jobs run
	@deploy/local/test.sh cargo test -p it --test chaos --locked -- --include-ignored --test-threads=1
