# Every task of the project. `make help` lists them; each sets up what it needs by itself.
# Needed: Python >= 3.11, Rust >= 1.92 with cargo, make, a C compiler. Nothing else.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
CARGO ?= cargo
# How long one fuzz target runs, in seconds.
FUZZ_SECONDS ?= 30
# The first seed of the simulation, and how many seeds are run.
SEED ?= 1
RUNS ?= 1000
# Arguments for pytest, as in `make test PYTEST="-k fifo"`, and how many processes run the tests.
PYTEST ?=
# AGAIN=1 gives a test that failed one more run and names it, as CI does. Such a test is a defect.
AGAIN ?=
RERUNS := $(if $(AGAIN),--reruns 1 -rR)
WORKERS ?= auto
# Tests and checks share the profile of the test build, and it has the features that tests of crates
# switch on: so each crate is compiled once for all of them.
QUICK := --profile quick
TESTING := $(QUICK) --features testing
# What maturin tells the build of pyo3: cargo builds it again if it is told otherwise.
export PYO3_BUILD_EXTENSION_MODULE := 1
export PYO3_PYTHON = $(abspath $(PY))
export PYO3_ENVIRONMENT_SIGNATURE = $(shell $(PY) -c 'import struct, sys; \
	print(sys.implementation.name, "%d.%d" % sys.version_info[:2], \
		"%dbit" % (8 * struct.calcsize("P")), sep="-")' 2>/dev/null)
# The crates that have loom models; each is named with the only tests that run under loom.
LOOM = set -e; \
	loom() { $(CARGO) test --quiet "$$@"; }; \
	run() { loom "$$@" -p trunkline-journal --lib loom; loom "$$@" -p trunkline-timer --test loom; \
		loom "$$@" -p trunkline-queue --lib interleavings; }; run
RUST_SOURCES := $(shell find core -path core/fuzz -prune -o -type f \
	\( -name '*.rs' -o -name '*.toml' -o -name '*.h' \) -print) Cargo.toml Cargo.lock

.PHONY: help setup release check demo test test-all test-rust test-loom test-loom-all test-miri \
	test-python test-packaging pythons bench-pythons wire-ends wire-aio wire-cli wire-sdks wire-kcl \
	test-console types lint fmt docs site bench \
	recorded bench-goals bench-wire wire-peers bench-patterns pairs fuzz sim wheel clean

help: ## List the tasks
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

# --- set-up: stamps, so that a second run does nothing --------------------------------------------

$(PY):
	@command -v $(CARGO) >/dev/null || { echo "cargo is missing: install Rust >= 1.92"; exit 1; }
	@for python in $${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "setting up $(VENV) with $$("$$python" --version)"; \
			exec "$$python" -m venv $(VENV); \
		fi; \
	done; echo "Python >= 3.11 is missing"; exit 1

# The tools are the extras `bench` and `dev` of the package, so they are listed in one place.
$(VENV)/.tools: pyproject.toml .ci/requirements.py | $(PY)
	@$(PY) .ci/requirements.py bench dev > $(VENV)/requirements.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check -r $(VENV)/requirements.txt
	@touch $@

# Two builds, and one of them lies in python/trunkline at a time: making one removes the other's
# stamp. Tests and checks use the profile `quick` of Cargo.toml. They ask what the code does, and
# link-time optimisation changes how fast it does it; `quick` also checks debug assertions and
# overflows, which the release leaves out. What is shown, shipped or measured is the release.
STAMPS := $(foreach name,.quick .release,$(VENV)/$(name) .venv/$(name) .venv/*/$(name))
# Runs a long command, keeps its output in a log and says every few seconds how far it is.
LOGGED = $(PY) build_tools/progress.py --log

$(VENV)/.quick: $(VENV)/.tools $(RUST_SOURCES)
	@rm -f $(STAMPS)
	@VIRTUAL_ENV=$(abspath $(VENV)) $(LOGGED) $(VENV)/build.log "building for tests" -- \
		$(BIN)/maturin develop $(TESTING)
	@$(LOGGED) $(VENV)/build-capi.log "building the C library for tests" -- \
		$(PY) build_tools/trunkline_build.py $(TESTING)
	@touch $@

$(VENV)/.release: $(VENV)/.tools $(RUST_SOURCES)
	@rm -f $(STAMPS)
	@VIRTUAL_ENV=$(abspath $(VENV)) $(LOGGED) $(VENV)/build.log "building the release" -- \
		$(BIN)/maturin develop --release
	@touch $@

setup: $(VENV)/.quick ## Make .venv with the tools and the test build of the package

release: $(VENV)/.release ## Put the release build of the package into .venv

# --- everyday tasks ------------------------------------------------------------------------------

check: $(VENV)/.quick ## Check what can be checked in a minute: format, clippy, tidy, unit, vectors
	@$(MAKE) lint-format
	$(CARGO) clippy --workspace --all-targets --quiet $(QUICK) -- -D warnings
	$(CARGO) test --workspace --lib --quiet $(QUICK)
	$(PY) -m pytest -q tests/tidy tests/python/queues/test_vectors.py tests/python/patterns/test_vectors.py \
		$(PYTEST)

demo: release ## Run the demonstration: queues, a bus and a stream through kill -9, files, boto3
	@$(PY) examples/demo.py
	@$(PY) examples/demo_events.py
	@$(PY) examples/http_orders.py
	@$(PY) examples/demo_files.py
	@$(PY) examples/aws/demo.py

test: setup ## Run the tests: Rust, loom in its bounded form, the wheel, Python
	@$(MAKE) test-rust
	@$(MAKE) test-loom
	@$(MAKE) test-packaging
	@$(MAKE) test-python

test-all: ## Run every test there is: loom unbounded, all Pythons, the ends of botocore, the CLI
	@$(MAKE) test
	@$(MAKE) test-loom-all
	@$(MAKE) sim
	@$(MAKE) wire-ends
	@$(MAKE) wire-aio
	@$(MAKE) wire-cli
	@$(MAKE) wire-sdks
	@$(MAKE) wire-kcl
	@$(MAKE) types
	@$(MAKE) pythons
	@$(MAKE) wheel

test-rust: ## Run the Rust tests
	$(CARGO) test --workspace --quiet $(QUICK) $(if $(AGAIN),|| \
		{ echo "A Rust test failed: all of them run once more."; \
		$(CARGO) test --workspace --quiet $(QUICK); })

# Loom explores interleavings. Most defects need two forced changes of thread or fewer: the bounded
# form tries no more, and the first 200,000 schedules of each model. test-loom-all tries all that a
# model asks for, which takes minutes.
test-loom: export RUSTFLAGS = --cfg loom
test-loom: export CARGO_TARGET_DIR = target/loom
test-loom: export LOOM_MAX_PREEMPTIONS ?= 2
test-loom: export LOOM_MAX_PERMUTATIONS ?= 200000
test-loom: ## Model-check the lock-free parts with loom, in its bounded form
	$(LOOM) --profile quick

test-loom-all: export RUSTFLAGS = --cfg loom
test-loom-all: export CARGO_TARGET_DIR = target/loom
test-loom-all: export CARGO_PROFILE_RELEASE_LTO = off
test-loom-all: export CARGO_PROFILE_RELEASE_CODEGEN_UNITS = 16
test-loom-all: ## Model-check the lock-free parts with loom, in full
	$(LOOM) --release

test-miri: ## Run what is unsafe under Miri; needs a nightly toolchain that has it
	MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-permissive-provenance" $(CARGO) +nightly miri test \
		-p trunkline-queue --test standard_stress --test shared_body \
		-p trunkline-timer --test timers_shared
	MIRIFLAGS="-Zmiri-permissive-provenance" $(CARGO) +nightly miri test -p trunkline-arrow --lib
	for features in "" +avx2,+popcnt +avx512bw,+popcnt; do \
		RUSTFLAGS="-C target-feature=$$features" $(CARGO) +nightly miri test -p trunkline-pattern \
			--lib -- json:: cow::prefetch || exit 1; \
	done
	$(CARGO) +nightly miri test -p trunkline-pattern --test sets -- a_snapshot

test-python: setup ## Run the Python tests, a process a core; WORKERS=0 for one process
	$(PY) -m pytest --numprocesses=$(WORKERS) --dist=worksteal $(RERUNS) $(PYTEST)

recorded: setup ## Replay AWS's recorded answers and write the score, tests/recorded/score
	$(PY) -m tests.recorded --update

# A wheel of the test build: the tests of packaging ask what is in it, not how fast it is.
test-packaging: setup ## Build a wheel of the test build, and use it in an empty venv
	@rm -rf target/dist
	@$(PY) build_tools/service_models.py
	@$(BIN)/maturin build $(TESTING) --quiet --out target/dist --interpreter $(PY); \
		status=$$?; $(PY) build_tools/service_models.py --clean; exit $$status
	@$(BIN)/maturin sdist --out target/dist
	TRUNKLINE_DIST=target/dist $(PY) -m pytest -q tests/packaging $(RERUNS) $(PYTEST)

# One environment a Python; the task is TASK.
TASK ?= test-python
pythons: ## Run the Python tests on every Python >= 3.11 that is installed
	@for python in python3.11 python3.12 python3.13; do \
		if "$$python" -c '' 2>/dev/null; then \
			$(MAKE) $(TASK) PYTHON=$$python VENV=.venv/$$python || exit 1; \
		else echo "$$python is not installed: left out"; fi; \
	done

bench-pythons: ## Measure the Python rows on every Python >= 3.11; BENCH="--quick"
	@$(MAKE) pythons TASK=bench BENCH="--no-rust $(BENCH)"

# Not in the list of tasks: the part of lint that takes a second.
.PHONY: lint-format
lint-format: $(VENV)/.tools
	$(CARGO) fmt --all --check
	rustfmt --check --edition 2024 core/fuzz/fuzz_targets/*.rs
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .

lint: setup lint-format ## Check formats, types, stubs, and warnings as errors
	$(CARGO) clippy --workspace --all-targets --quiet $(QUICK) -- -D warnings
	$(BIN)/mypy --strict python/trunkline
	$(PY) -m mypy.stubtest trunkline._core --allowlist tests/tidy/stubtest_allow.txt

# pyright is a program for node, which its package fetches where node is missing; so `lint` does
# without it.
types: setup ## Ask pyright how much of the public interface has known types: 99 % at least
	@$(PY) -m venv $(VENV)/pyright
	@$(VENV)/pyright/bin/pip install --quiet --disable-pip-version-check "pyright>=1.1.400,<2" \
		"opentelemetry-api>=1.20,<2"
	$(VENV)/pyright/bin/python build_tools/type_completeness.py

fmt: $(VENV)/.tools ## Rewrite sources in the project's format
	$(CARGO) fmt --all
	rustfmt --edition 2024 core/fuzz/fuzz_targets/*.rs
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

docs: setup ## Regenerate docs/reference.md, docs/errors.md and docs/coverage.md
	$(PY) -m tests.tidy.reference
	$(PY) -m tests.tidy.coverage

site: setup ## Build the site of the documentation into target/site
	@$(PY) -m venv $(VENV)/site
	@$(VENV)/site/bin/pip install --quiet --disable-pip-version-check "mkdocs-material>=9.6,<10" \
		"mkdocstrings[python]>=1,<2"
	NO_MKDOCS_2_WARNING=1 $(VENV)/site/bin/mkdocs build --strict --quiet

# The ends of the range of botocore in pyproject.toml. boto3 is content with any botocore of its own
# minor version, so botocore is named as well.
BOTO_ENDS ?= 1.35.0 1
wire-ends: setup ## Run the wire tests with the oldest and the newest supported botocore
	@for end in $(BOTO_ENDS); do \
		$(PY) -m venv $(VENV)/botocore-$$end && \
		$(VENV)/botocore-$$end/bin/pip install --quiet --disable-pip-version-check --upgrade \
			"boto3==$$end.*" "botocore==$$end.*" "celery[sqs]>=5.5,<6" h2 hypothesis jsonschema \
			pytest pyyaml websockets && \
		$(VENV)/botocore-$$end/bin/python -c \
			'import botocore; print("botocore", botocore.__version__)' && \
		PYTHONPATH=python $(VENV)/botocore-$$end/bin/python -m pytest -q tests/wire $(PYTEST) || \
		exit 1; \
	done

# aiobotocore takes few versions of botocore each, so it gets environments of its own: beside boto3
# and celery, pip would search for minutes.
AIO_ENDS ?= 2.15.0 3
wire-aio: setup ## Run the tests of aiobotocore, with an old and the newest one
	@for end in $(AIO_ENDS); do \
		$(PY) -m venv $(VENV)/aiobotocore-$$end && \
		$(VENV)/aiobotocore-$$end/bin/pip install --quiet --disable-pip-version-check --upgrade \
			"aiobotocore==$$end.*" hypothesis pytest && \
		$(VENV)/aiobotocore-$$end/bin/python -c \
			'import aiobotocore; print("aiobotocore", aiobotocore.__version__)' && \
		PYTHONPATH=python $(VENV)/aiobotocore-$$end/bin/python -m pytest -q \
			tests/wire/test_aio.py $(PYTEST) || exit 1; \
	done

wire-cli: setup ## Run the tests that need the AWS CLI, which gets an environment of its own
	@$(PY) -m venv $(VENV)/awscli
	@$(VENV)/awscli/bin/pip install --quiet --disable-pip-version-check "awscli>=1.36,<2"
	TRUNKLINE_AWS_CLI=$(abspath $(VENV)/awscli/bin/aws) $(PY) -m pytest tests/wire/test_cli.py $(PYTEST)

# A toolchain that is missing leaves its test out, with the reason.
wire-sdks: export SDKS = $(abspath target/sdks)
wire-sdks: setup ## Run programs of the official SDKs for JavaScript and Go against the server
	@mkdir -p $(SDKS)/node && cp tests/wire/sdks/node/* $(SDKS)/node/
	@if command -v npm >/dev/null; then \
		npm --prefix $(SDKS)/node install --no-package-lock --no-audit --no-fund --silent && \
		export TRUNKLINE_SDK_NODE="node $(SDKS)/node/main.mjs" || exit 1; fi; \
	if command -v go >/dev/null; then \
		(cd tests/wire/sdks/go && go build -o $(SDKS)/go .) && \
		export TRUNKLINE_SDK_GO=$(SDKS)/go || exit 1; fi; \
	$(PY) -m pytest tests/wire/test_sdks.py -rs $(PYTEST)

# The library keeps its leases in DynamoDB, which Trunkline does not serve: moto's server stands in.
# The Python package is unpacked and not installed: its setup would fetch the jars by itself.
KCL = $(abspath target/kcl)
wire-kcl: export TRUNKLINE_KCL = $(KCL)/classes:$(KCL)/lib/*
wire-kcl: export TRUNKLINE_KCLPY = $(KCL)/python
wire-kcl: setup ## Run workers of the Kinesis Client Library, Java and Python; needs a JDK, Maven
	@$(BIN)/pip install --quiet --disable-pip-version-check 'moto[server,dynamodb]>=5.2'
	@rm -rf $(KCL)/lib && mvn -q -B -f tests/wire/sdks/kcl/pom.xml dependency:copy-dependencies \
		-DoutputDirectory=$(KCL)/lib
	@javac -d $(KCL)/classes -cp '$(KCL)/lib/*' tests/wire/sdks/kcl/Worker.java
	@rm -rf $(KCL)/sdist $(KCL)/python && mkdir -p $(KCL)/python
	@$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
		--dest $(KCL)/sdist 'amazon_kclpy>=3,<4'
	@tar -xzf $(KCL)/sdist/amazon_kclpy-*.tar.gz -C $(KCL)/python --strip-components=1
	@mvn -q -B -f tests/wire/sdks/kcl/multilang.xml dependency:copy-dependencies \
		-DoutputDirectory=$(KCL)/python/amazon_kclpy/jars
	$(PY) -m pytest tests/wire/test_kcl.py tests/wire/test_kclpy.py -rs $(PYTEST)

test-console: setup ## Try the console in Chromium (Debian's, or what TRUNKLINE_CHROMIUM names)
	@$(BIN)/pip install --quiet --disable-pip-version-check "playwright>=1.50"
	TRUNKLINE_CONSOLE=1 $(PY) -m pytest tests/console -rs $(RERUNS) $(PYTEST)

# --- measurements and long runs ------------------------------------------------------------------

bench: release ## Measure every row of the budget; writes benches/records/; BENCH="--quick"
	$(PY) benches/run.py $(BENCH)

bench-goals: release ## Measure every row that has a goal and say which are met; GOALS="--only core"
	@$(PY) -m pip install --quiet --disable-pip-version-check 'moto[server,sqs,sns,events]>=5.2' ministack
	$(PY) -m benches.goals $(GOALS)

bench-wire: release ## Measure the server beside a null echo and peers; WIRE="--quick"
	@$(PY) -m pip install --quiet --disable-pip-version-check 'moto[server,sqs,sns,events]>=5.2' ministack
	$(PY) -m benches.wire.run $(WIRE)

# Only run, never read: one of them has a licence that forbids more. fakecloud takes long to build.
PEERS ?= elasticmq fauxqs
wire-peers: ## Install the peers of bench-wire that are not Python; PEERS="elasticmq fauxqs fakecloud"
	@mkdir -p target/peers/fauxqs
	@for peer in $(PEERS); do case $$peer in \
		elasticmq) mvn -q -B -f benches/wire/elasticmq.xml dependency:copy-dependencies \
			-DoutputDirectory=$(abspath target/peers/elasticmq) ;; \
		fauxqs) cp benches/wire/fauxqs.json target/peers/fauxqs/package.json && \
			npm install --silent --no-package-lock --prefix target/peers/fauxqs ;; \
		fakecloud) $(CARGO) install --quiet --locked --root target/peers/fakecloud fakecloud ;; \
		*) echo "$$peer is no peer"; exit 1 ;; \
	esac || { echo "$$peer could not be installed"; exit 1; }; done

# How many pairs of a pattern and an event are compared.
PAIRS ?= 1000000
pairs: release ## Hold the matcher against the reference: PAIRS=n SEED=n
	PYTHONPATH=tests/python $(PY) -m patterns.pairs --pairs $(PAIRS) --seed $(SEED)

bench-patterns: release ## Measure rule sets beside quamina and event-ruler; PATTERNS="--lines 20000"
	$(PY) -m benches.patterns.run $(PATTERNS)

fuzz: ## Fuzz the record decoder and recovery, FUZZ_SECONDS each
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked --quiet cargo-fuzz
	@for target in $$($(CARGO) +nightly fuzz list --fuzz-dir core/fuzz); do \
		$(CARGO) +nightly fuzz run --fuzz-dir core/fuzz "$$target" -- \
			-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1; \
	done

sim: ## Run seeded workloads x virtual clock x crashes: SEED=n RUNS=n; and kills of executions
	TRUNKLINE_SIM_SEED=$(SEED) TRUNKLINE_SIM_RUNS=$(RUNS) \
		$(CARGO) test $(QUICK) --quiet -p trunkline-conformance --test sim -- --nocapture
	TRUNKLINE_KILLS=20 TRUNKLINE_KILL_EXECUTIONS=1000 TRUNKLINE_KILL_TOKENS=10000 \
		TRUNKLINE_KILL_ITEMS=600 \
		$(PY) -m pytest -q tests/durability/test_kill_executions.py \
		tests/durability/test_kill_tokens.py tests/durability/test_kill_maps.py \
		tests/wire/test_source_kill.py

# ABI3=1 makes one wheel for all versions of Python from 3.11 on, 10 to 13 % slower a call.
ABI3 ?=
wheel: $(VENV)/.tools ## Build wheel and sdist into dist/, and use the wheel in an empty venv
	@rm -rf dist $(STAMPS)
	@$(LOGGED) $(VENV)/build-capi.log "building the C library" -- \
		$(PY) build_tools/trunkline_build.py
	@$(PY) build_tools/service_models.py
	@$(LOGGED) $(VENV)/build.log "building the wheel" -- \
		$(BIN)/maturin build --release --out dist --interpreter $(PY) $(if $(ABI3),--features abi3); \
		status=$$?; $(PY) build_tools/service_models.py --clean; exit $$status
	@$(BIN)/maturin sdist --out dist
	TRUNKLINE_DIST=dist $(PY) -m pytest tests/packaging $(PYTEST)

clean: ## Remove everything that was built
	rm -rf $(VENV) target core/fuzz/target dist build python/trunkline/_capi .pytest_cache \
		.mypy_cache .ruff_cache .hypothesis .benchmarks
