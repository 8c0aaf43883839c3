# Sluice: `make run` sets up everything and serves, `make test` sets up everything and tests it.

PYTHON ?= python3
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-header --no-emit-index-url --no-emit-find-links

# The linters load Django's settings, which want a key to be there; nothing is signed with this one.
check: export GATEWAY_SECRET_KEY := only-for-the-linters
export MAKECMDGOALS
# Which helm the tests of the chart run.
HELM := v4.3.1
# The tests start hundreds of processes, each of which would compile every module anew where no bytecode is kept.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest
# More workers than the two cores that CI has: many tests wait. More still would make those late that wait for a time.
TESTS := $(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder
FURTHER := chaos or console or node or spark
# As in: make run DEVICES=100000
ifdef DEVICES
export LOCAL_DEVICES := $(DEVICES)
endif

.DEFAULT_GOAL := help
.PHONY: help run demo test test-all test-unit check format lock fuzz chaos spark console helm charts bench-translator bench-gateway bench-identity bench-inventory bench-sink bench-lake bench-console bench-watches bench-event-bytes postman clean
.DELETE_ON_ERROR:

help: ## List the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | expand -t 22

run: .venv/embedded.stamp ## Set up what is missing, start the whole system, show the main job, serve until Ctrl-C
	@$(BIN)/python -m local run

demo: .venv/embedded.stamp ## The same, but stop after the main job
	@$(BIN)/python -m local demo

test: .venv/dev.stamp build/s3/made.stamp ## Run the tests, against real Kafka and Elasticsearch
	@$(TESTS) -m "not ($(FURTHER))"

test-all: .venv/dev.stamp build/s3/made.stamp ## The same, with those that need a browser, Node, Spark or a long chaos run
	@$(TESTS)

test-unit: .venv/dev.stamp ## Run the tests that need no server
	@$(PYTEST) -n auto tests/unit

check: .venv/dev.stamp ## Format, lint, types and layering
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pylint audit_sink contracts deploy elastic gateway indexing inventory_index kit lake local translator tests

format: .venv/dev.stamp ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: .venv/dev.stamp ## Bring requirements/ and local/jars.toml in line with what the project asks for
	$(LOCK) pyproject.toml -o requirements/runtime.txt
	$(LOCK) pyproject.toml --group embedded -c requirements/runtime.txt -o requirements/embedded.txt
	$(LOCK) pyproject.toml --group dev -c requirements/embedded.txt -o requirements/dev.txt
	$(LOCK) pyproject.toml --group fuzz -c requirements/dev.txt -o requirements/fuzz.txt
	$(LOCK) --group peers -o requirements/peers.txt
	$(LOCK) --group s3 -o requirements/s3.txt
	$(LOCK) --group spark-build -o requirements/spark-build.txt
	$(LOCK) --group spark --no-binary pyspark --emit-build-options -o requirements/spark.txt
	$(BIN)/python -m local.jars
	$(BIN)/python -m local.spark_jars

fuzz: .venv/fuzz.stamp ## Ask real Elasticsearch 20,000 generated queries, and fuzz the parser for five minutes
	@$(BIN)/python -m tests.fuzz language
	@$(BIN)/python -m tests.fuzz parser

chaos: .venv/dev.stamp ## Kill, freeze and restart all services, Kafka and Elasticsearch for ten minutes; print the accounts
	@$(BIN)/python -m tests.chaos

spark: .venv-spark/made.stamp ## Set up Spark, the lake's engine beyond one machine; it needs Java 17 to run

console: web/node_modules/.made ## Check, test and build the page of the console (web/); needs Node 20.19 or newer
	@cd web && npm run --silent check && npm test --silent && npm run --silent build

helm: build/helm/$(HELM)/made.stamp ## Build helm, which the tests of the chart run; needs Go

charts: .venv/dev.stamp helm ## Lint the chart for Kubernetes, and write what it makes to tests/data/chart; needs Go
	@$(BIN)/python -m tests.support.chart build/helm/$(HELM)/helm

bench-translator: .venv/dev.stamp ## Time the translator against luqum, and POST /translate against /healthz
	@$(BIN)/python -m tests.benchmarks.bench_translator

bench-gateway: .venv/dev.stamp ## Time the gateway's POST /search against Elasticsearch's own _search, on the embedded stack
	@$(BIN)/python -m tests.benchmarks.bench_gateway

bench-identity: .venv/dev.stamp ## Time log-ins for known and unknown addresses, refreshes at once, and tokens of providers
	@$(BIN)/python -m tests.benchmarks.bench_identity

bench-inventory: .venv/dev.stamp build/peers/made.stamp ## Time the inventory against Kinto and Elasticsearch's ceiling
	@$(BIN)/python -m tests.benchmarks.bench_inventory --peers build/peers/bin/python

bench-sink: .venv/dev.stamp build/peers/made.stamp ## Time the audit sink against its peers and Elasticsearch's ceiling
	@$(BIN)/python -m tests.benchmarks.bench_sink --peers build/peers/bin/python

bench-lake: .venv/dev.stamp .venv-spark/made.stamp ## Time the lake against Spark and the common loop, and its reports and an erasure over ten million events
	@$(BIN)/python -m tests.benchmarks.bench_lake

bench-watches: .venv/dev.stamp ## Time what 500 watched searches cost the worker, on the embedded stack
	@$(BIN)/python -m tests.benchmarks.bench_watches

bench-console: .venv/dev.stamp ## Time what a person at the console waits for, in Chromium on the embedded stack
	@$(BIN)/python -m tests.benchmarks.bench_console

bench-event-bytes: .venv/dev.stamp ## Weigh an audit event in Kafka and in Elasticsearch
	@$(BIN)/python -m tests.benchmarks.event_bytes

postman: .venv/dev.stamp build/postman/made.stamp ## Make the Postman collection and environment of the OpenAPI document
	@GATEWAY_SECRET_KEY=only-for-the-document $(BIN)/python -m gateway spectacular --fail-on-warn --format openapi-json --file build/postman/openapi.json
	@node build/postman/make.mjs build/postman/openapi.json postman

clean: ## Remove the embedded stack's data
	rm -rf .local

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Sluice needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv \
	  || { echo "no virtual environment can be made in .venv (on Debian: apt install python3-venv)" >&2; exit 1; }
	@touch $@

# A larger set holds the smaller one in the same versions, so that installing either never undoes the other.
.venv/%.stamp: requirements/%.txt | .venv/made.stamp
	@echo "Installing Python packages into .venv (once; the log is .venv/$*.log)"
	@requirements/install .venv $<
	@touch $@

# Node's packages, each held to the hash in the lock, stay out of the sources.
build/postman/made.stamp: postman/package.json postman/package-lock.json postman/.npmrc postman/make.mjs
	@mkdir -p build/postman
	@cp $^ build/postman
	@cd build/postman && npm ci --silent
	@touch $@

build/oidc-provider/made.stamp: $(addprefix tests/oidc_provider/,package.json package-lock.json .npmrc serve.mjs)
	@mkdir -p build/oidc-provider
	@cp $^ build/oidc-provider
	@cd build/oidc-provider && npm ci --silent
	@touch $@

build/chart-schemas/made.stamp: $(addprefix tests/chart_schemas/,package.json package-lock.json .npmrc check.mjs)
	@mkdir -p build/chart-schemas
	@cp $^ build/chart-schemas
	@cd build/chart-schemas && npm ci --silent
	@touch $@

# Go's module proxy has it as source, held to the sums of Go's checksum database.
build/helm/$(HELM)/made.stamp:
	@echo "Building helm $(HELM) into build/helm (once; some minutes)"
	@GOBIN=$(CURDIR)/build/helm/$(HELM) go install -trimpath -ldflags=-s helm.sh/helm/v4/cmd/helm@$(HELM)
	@touch $@

web/node_modules/.made: web/package-lock.json
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

# The S3-compatible server of the lake's tests wants older libraries.
build/s3/made.stamp: requirements/s3.txt
	@$(PYTHON) -m venv --clear build/s3
	@requirements/install build/s3 $<
	@touch $@

.venv-spark/made.stamp: requirements/spark-build.txt requirements/spark.txt local/spark_jars.toml | .venv/embedded.stamp
	@echo "Installing Spark into .venv-spark (once; 450 MB)"
	@$(PYTHON) -m venv --clear .venv-spark
	@requirements/install .venv-spark requirements/spark-build.txt
	@requirements/install .venv-spark requirements/spark.txt
	@$(BIN)/python -m local.spark_jars .venv-spark
	@touch $@

# The programs that the sink and the inventory are measured against want other versions of the same libraries.
build/peers/made.stamp: requirements/peers.txt
	@$(PYTHON) -m venv --clear build/peers
	@requirements/install build/peers $<
	@touch $@
