# `make` lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
unexport PYTHONDONTWRITEBYTECODE  # with it each of the many processes compiles all sources anew

PYTHON ?= python3
BIN := .venv/bin
LOCAL := $(BIN)/python -m deploy.local
NODE := deploy/grafana/node
CLIENTS := tests/contract/node
QUIETLY := --no-audit --no-fund --loglevel=error

NAME ?=
SERVICE ?=
ACTOR ?=
ROLES ?=
LEDGER ?=
POLICY ?=
REPORT ?=
METRICS ?=
SEED ?=
SECONDS ?= 120
ARGS ?=
WORKERS ?= 2
TOPIC ?= collections.events
FOLLOW ?= yes

.PHONY: help
help:  ## List the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{ printf "  make %-15s %s\n", $$1, $$2 }'

.PHONY: setup
setup: machine .venv/.installed  ## Get what is needed: Postgres, Java, the Python environment, Kafka's jars
	@$(LOCAL) prepare

.PHONY: machine
machine:
	@PYTHON=$(PYTHON) deploy/local/prerequisites.sh

.venv/.installed: requirements.lock
	@echo "Making the Python environment"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# Grafana's types, against which dashboards are checked; and its panels, which draw them.
$(NODE)/node_modules/.types: $(NODE)/package-lock.json
	@echo "Getting Grafana's types"
	@cd $(NODE) && npm ci --omit=dev $(QUIETLY)
	@touch $@

$(NODE)/node_modules/.panels: $(NODE)/package-lock.json
	@echo "Getting Grafana's panels"
	@cd $(NODE) && npm ci $(QUIETLY)
	@touch $(NODE)/node_modules/.types $@

$(NODE)/built/picture.js: $(NODE)/node_modules/.panels $(NODE)/vite.config.ts $(wildcard $(NODE)/src/*)
	@cd $(NODE) && npx tsc -p src && npx vite build --logLevel warn

# What generates TypeScript clients, for the test of the API documents.
$(CLIENTS)/node_modules/.installed: $(CLIENTS)/package-lock.json
	@cd $(CLIENTS) && npm ci $(QUIETLY)
	@touch $@

.PHONY: dashboards
dashboards: setup pictures $(NODE)/built/picture.js  ## Make the dashboards, live through a good and a bad hour, draw both into docs/dashboards
	@$(BIN)/python -m deploy.grafana
	@$(BIN)/python -m sandbox.hours --draw

.PHONY: pictures
pictures:
	@PYTHON=$(PYTHON) deploy/local/prerequisites.sh pictures

.PHONY: demo
demo: setup  ## Start everything, live through a year of subscriptions and tell what happened
	@$(BIN)/python -m sandbox.demo

.PHONY: replay
replay: setup  ## Replay a receivables ledger: LEDGER=file.csv [POLICY=file.yaml] [REPORT=out.json] [METRICS=1]
	@test -n "$(LEDGER)" || { echo "which ledger? make replay LEDGER=file.csv" >&2; exit 2; }
	@$(BIN)/python -m sandbox.replay "$(LEDGER)" $(if $(POLICY),--policy "$(POLICY)") $(if $(REPORT),--report "$(REPORT)") \
		$(if $(METRICS),--metrics)

.PHONY: storm
storm: setup  ## Kill and freeze everything under the demo's traffic, then check what is left: [SECONDS=120] [SEED=n]
	@$(BIN)/python -m sandbox.storm --seconds "$(SECONDS)" $(if $(SEED),--seed "$(SEED)")

.PHONY: bench
bench: setup  ## Measure what takes how long, beside what must be reached: [REPORT=out.json]
	@$(BIN)/python -m benchmarks $(if $(REPORT),--report "$(REPORT)")

.PHONY: up
up: setup  ## Start the local stack and say where everything is
	@$(LOCAL) up

.PHONY: down
down:  ## Stop the local stack; its data stay
	@$(LOCAL) down

.PHONY: status
status:  ## Show the processes of the local stack
	@$(LOCAL) status

.PHONY: logs
logs:  ## Follow the logs: [NAME=process] [FOLLOW= to end after the last lines] [ARGS="--lines 500"]
	@$(LOCAL) logs $(NAME) $(if $(FOLLOW),--follow) $(ARGS)

.PHONY: token
token:  ## Print a token for the local stack: [SERVICE=name] [SCOPE="..."] [ACTOR=name] [ROLES="..."]
	@$(LOCAL) token $(if $(SERVICE),--audience $(SERVICE)) $(if $(SCOPE),--scope "$(SCOPE)") $(if $(ACTOR),--subject $(ACTOR)) $(if $(ROLES),--roles "$(ROLES)")

.PHONY: watch
watch:  ## Show what is on a topic of the local stack: TOPIC=collections.events
	@$(BIN)/python -m sandbox.watch $(TOPIC)

.PHONY: redrive
redrive:  ## Go on with what was parked in the local stack: SERVICE=name ACTOR=name [ARGS=...]
	@test -n "$(SERVICE)" || { echo "which service? make redrive SERVICE=collections ACTOR=me" >&2; exit 2; }
	@$(LOCAL) redrive $(SERVICE) $(if $(ACTOR),--actor "$(ACTOR)") $(ARGS)

.PHONY: lint
lint: machine .venv/.installed  ## Format, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports

.PHONY: format
format: machine .venv/.installed  ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: test
test: setup $(NODE)/node_modules/.types $(CLIENTS)/node_modules/.installed  ## Run all tests: [ARGS=...] [WORKERS=2]
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: unit
unit: machine .venv/.installed  ## Run the tests that need no server, with a fifth of their examples: [ARGS=...] [WORKERS=2]
	@HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -q -n $(WORKERS) tests/unit $(ARGS)

.PHONY: mutants
mutants: machine .venv/.installed  ## Mutate the pure code and show what no unit test notices: [ARGS="file ..."]
	@nice -n 10 $(BIN)/python -m tests.mutation $(ARGS)

.PHONY: mutants-changed
mutants-changed: machine .venv/.installed  ## The same for files changed since the merge base, for at most a minute
	@nice -n 10 $(BIN)/python -m tests.mutation --changed --seconds 60

.PHONY: schemas
schemas: setup  ## Write anew the JSON Schemas of the events, and the schema.sql of each service
	@$(BIN)/python -m shared.events
	@$(BIN)/python -m pytest -q tests/golden -k the_schema --write-golden

.PHONY: check
check: lint test  ## lint and test

.PHONY: clean
clean:  ## Stop the local stack and delete its data; the Python environment and the jars stay
	@test ! -d .local/stack || { $(LOCAL) down; $(LOCAL) remove; }
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
