# Indaba. `make demo` and `make test` are the two to know; the rest is for those who build it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: help demo test check lint build release web test-rust test-web test-e2e test-peers crash fuzz bench bench-full schema clean

# dev builds fast; `make demo PROFILE=release` runs fast.
PROFILE ?= dev
N ?= 3
FUZZ ?= 1000000

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## builds everything, starts Indaba with the simulator and sample data, says how to sign in
	@scripts/demo $(PROFILE)

test: ## every test: SQLite and PostgreSQL, the web UI, the browser, the peers, the crash test
	@scripts/test

check: lint test ## what CI runs: formatting, lints and every test

lint: web ## formatting and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

build: web ## the server and the simulator, for work on them
	cargo build --workspace --locked

release: web ## the server as it is shipped
	cargo build --release --locked -p indaba -p indaba-simulator

web: ## the web UI, into web/dist
	@scripts/web

test-rust: ## the Rust suite alone, on both databases
	@scripts/test rust

test-web: ## the UI's tests alone
	@scripts/test web

test-e2e: ## the browser tests alone
	@scripts/test e2e

test-peers: ## programs that we did not write, against our simulators
	@scripts/test peers

crash: ## kills the server N times under load, on both databases (default 3; a long run: make crash N=200)
	@scripts/test crash $(N)

fuzz: ## broken captures through every parser, a million for each crate (make fuzz FUZZ=10000)
	@scripts/fuzz $(FUZZ)

bench: web ## the figures of docs/benchmarks.md, about 10 minutes
	@scripts/bench

bench-full: web ## the same with 5 million messages
	@scripts/bench --full

schema: ## web/src/api/schema.ts anew, from the server's OpenAPI document
	cargo run --locked -p indaba -- openapi > web/openapi.json
	cd web && npm run schema

clean: ## what was built and scratched
	cargo clean
	rm -rf web/dist web/node_modules .scratch
