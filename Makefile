# Every target that needs the tools sets them up first; that takes no time when nothing has changed.
# The brought Node 24 goes first, or everything would run on the system's Node without a word.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SHELL := /bin/bash
STACK := node scripts/stack/src/main.ts
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup check test test-e2e test-long chaos demo dev-up dev-down dev-status lint format bench bench-full

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install everything into node_modules and .soma (Node >= 20, npm, Python 3.11)
	@scripts/setup.sh

demo: setup ## run one session from start to offline proof, on free ports
	@node scripts/stack/src/demo.ts

dev-up: setup ## start the stack in the background; ARGS="--port orchestrator=9090" moves a port
	@$(STACK) up $(ARGS)

dev-down: ## stop that stack; its data in .soma/data/dev stays
	@$(STACK) down $(ARGS)

dev-status: ## show its parts, addresses and logs; ARGS=--json for programs
	@$(STACK) status $(ARGS) || test $$? -le 3 # 1 and 3 are answers, not failures

test: lint ## everything that CI runs: the static ring, then all tests
	@node scripts/run-tests.ts

test-e2e: setup ## gateway to orchestrator and all behind it, with tokens, tenants, streams, SDKs; ARGS="--files GLOB"
	@node scripts/run-tests.ts system $(if $(ARGS),$(ARGS),--files 'tests/e2e/*.test.ts')

test-long: setup ## a conversation of 1,000 turns, and a worker killed at every event of another; about half an hour
	@CONVERSATION_TURNS=1000 KILL_AT=all node scripts/run-tests.ts system \
	  --timeout 3600 --files 'tests/{e2e/long-conversation,faults/conversation-kills}.test.ts'

check: test ## the same as test

chaos: setup ## kill every part of a real stack while sessions come in; ARGS="--seed 7" plans it again
	@scripts/tests/temporal_failover.sh $(ARGS)

lint: setup ## the static ring: format, lint with types, types, dead code, ruff
	oxfmt --check .
	oxlint --type-aware
	tsc --noEmit
	knip
	.soma/slm-tools/bin/ruff check services/slm
	.soma/slm-tools/bin/ruff format --check services/slm
	.soma/slm-tools/bin/ruff check --config services/slm/pyproject.toml scripts/*.py scripts/soma_verifier
	.soma/slm-tools/bin/ruff format --config services/slm/pyproject.toml --check scripts/*.py scripts/soma_verifier

bench: setup ## measure the quick set in about a quarter of an hour, into docs/reference/benchmarks.md; nothing else should run
	@node tests/bench/main.ts quick $(ARGS)

bench-full: setup ## the same with longer slices and more pairs, in about an hour
	@node tests/bench/main.ts full $(ARGS)

format: setup ## write the format that the static ring wants
	oxfmt .
	.soma/slm-tools/bin/ruff format services/slm
	.soma/slm-tools/bin/ruff format --config services/slm/pyproject.toml scripts/*.py scripts/soma_verifier
