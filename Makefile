# The project's tasks. `make help` lists them; each task installs its dependencies.
SHELL := /bin/bash
PYTHON ?= python3.13
BIN := .venv/bin
export PYTHONPATH := layers/flowwarden:cli:functions/monitor:functions/enforcer:functions/dispatcher:functions/settings_check:.
# Otherwise each of the many processes that the tests start would compile the sources again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the tasks
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Says what to install if there is no Python 3.13 that can create environments.
define require_python
$(PYTHON) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || { \
	echo "$(PYTHON) is not a Python 3.13 with pip and venv, which all tasks need."; \
	echo "Debian and Ubuntu: install the packages python3.13 and python3.13-venv. macOS: brew install python@3.13"; \
	echo "If it has another name: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3.13"; exit 1; } >&2
endef

.PHONY: python
python:
	@$(require_python)

# Installs the requirements of a rule into an environment, and counts the packages while it downloads them.
define install
set -o pipefail; $(1)/bin/pip install --disable-pip-version-check --progress-bar off --require-hashes -r $< | awk \
	-v total=$$(grep -cE '^[A-Za-z0-9._-]+(\[[^]]*\])?==' $<) \
	'/^Collecting/ {printf "\r   %d of at most %d packages", ++count, total; fflush()} \
	/^Installing/ {printf "\n   installing them, which takes a minute on a slow machine\n"; fflush()}'
endef

# Separate environments, because ministack and aws-sam-cli pin other versions of botocore.
.venv/.made: requirements/dev.txt
	@$(require_python)
	@echo "== creating .venv (the project's tools, and the command flowwarden)"
	@$(PYTHON) -m venv --clear .venv
	@$(call install,.venv)
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venvs/%/.made: requirements/%.txt
	@$(require_python)
	@echo "== creating .venvs/$* ($*)"
	@$(PYTHON) -m venv --clear .venvs/$*
	@$(call install,.venvs/$*)
	@touch $@

.PHONY: setup
setup: .venv/.made .venvs/ministack/.made .venvs/sam/.made ## Create the virtual environments (other tasks do this when needed)

.PHONY: lint
lint: .venv/.made ## Check style, types and architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy layers/flowwarden/flowwarden cli/flowwarden_cli functions/monitor/monitor.py functions/enforcer/enforcer.py functions/dispatcher/dispatcher.py functions/settings_check/settings_check.py local benchmarks tests
	$(BIN)/lint-imports

.PHONY: format
format: .venv/.made ## Format the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: test
test: setup ## Run the tests on all cores, without containers and the slowest: about 3 minutes on two (ARGS=tests/records: one folder)
	@echo "The tests take about 3 minutes on two cores. The end of the output says which were skipped, and why:"
	@echo "those of real records need the folder ../shared/data, which is not part of the project, those of the report need"
	@echo "Chromium with its driver, and others need packages that only make bench or make peers installs."
	$(BIN)/pytest -n auto --no-loadscope-reorder -m "not container and not slow" $(ARGS)

.PHONY: test-slow
test-slow: setup ## Run the slowest tests, which make test leaves out: queries for Athena, an installation with all sinks and its removal, lives of incidents on a table, runs of the benchmarks, the other architecture
	$(BIN)/pytest -n auto --no-loadscope-reorder -m slow $(ARGS)

.PHONY: test-container
test-container: setup ## Run the tests that need a container engine: the functions through `sam local invoke`
	$(BIN)/pytest -m container $(ARGS)

.PHONY: reliability
reliability: setup ## Run every property test with 300 examples instead of 7, all cells of each matrix, the load run, a million fuzzed inputs and the memory of 10,000 batches, and write docs/reliability.md
	$(BIN)/pytest -n auto --no-loadscope-reorder -m "(hypothesis or matrix) and not container" --hypothesis-profile=deep $(ARGS)
	$(BIN)/python -m benchmarks.reliability --write
	$(BIN)/python -m benchmarks.fuzz --write
	$(BIN)/python -m benchmarks.loud.container 2>/dev/null

.PHONY: docs
docs: .venv/.made ## Generate docs/detectors.md, docs/doctor.md, docs/runbooks/, docs/schemas/, docs/state.md, docs/cost.md, the tables of docs/policy.md and CONTRIBUTING's list of modules
	@$(BIN)/python -m local.docs_detectors
	@$(BIN)/python -m local.docs_doctor
	@$(BIN)/python -m local.docs_modules
	@$(BIN)/python -m local.docs_policy
	@$(BIN)/python -m local.docs_runbooks
	@$(BIN)/python -m local.docs_schemas
	@$(BIN)/python -m local.docs_state
	@$(BIN)/python -m benchmarks.cost --page

.PHONY: golden
golden: .venv/.made ## Regenerate the golden files: notifications, what each service gets of them, SQL for Athena, the command's output
	@$(BIN)/python -m tests.monitor.render.golden
	@$(BIN)/python -m tests.monitor.review.golden
	@$(BIN)/python -m tests.dispatcher.digests.golden
	@$(BIN)/python -m tests.enforcer.reporting.golden
	@$(BIN)/python -m tests.sinks.golden
	@$(BIN)/python -m tests.cli.golden
	@$(BIN)/python -m tests.cli.athena.golden

.PHONY: chat-pictures
chat-pictures: .venv/.made ## Draw the pictures of chat messages in docs/pictures again; needs Chromium
	@$(BIN)/python -m local.chat_pictures

.PHONY: validate
validate: .venvs/sam/.made ## Validate the template with SAM
	@AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 .venvs/sam/bin/sam validate --lint

.PHONY: demo
demo: setup ## Run the main scenario on an AWS emulator, in about a minute
	@$(BIN)/python -m local.demo

.PHONY: up
up: setup ## Start an AWS emulator with the stack deployed, and keep it running until `make down`
	@$(BIN)/python -m local.sandbox up

.PHONY: send
send: setup ## Send an event to the deployed functions: make send EVENT=events/monitor/scan.json
	@$(BIN)/python -m local.sandbox send $(if $(EVENT),"$(EVENT)")

.PHONY: inbox
inbox: setup ## Show the notifications that neither `make send` nor an earlier `make inbox` showed
	@$(BIN)/python -m local.sandbox inbox

.PHONY: down
down: setup ## Stop the AWS emulator that `make up` or `make invoke` started
	@$(BIN)/python -m local.sandbox down

.PHONY: invoke
invoke: setup ## Run a function in a container with one event and compare the outcome: make invoke EVENT=events/monitor/reject-burst.json
	@$(BIN)/python -m local.invoke $(if $(EVENT),"$(EVENT)")

.PHONY: wheel
wheel: .venv/.made ## Build the wheel of the command line into build/wheel, the only file that stays, and try it
	@$(require_python)
	@rm -rf build/lib build/bdist.* build/wheel  # setuptools would pack what an older tree left in build/lib
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/wheel .
	@rm -rf build/lib build/bdist.* flow_warden.egg-info
	@$(PYTHON) -m venv --clear build/wheel/venv
	@build/wheel/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/cli.txt
	@env -u PYTHONPATH build/wheel/venv/bin/pip install --quiet --disable-pip-version-check --no-deps build/wheel/*.whl  # PYTHONPATH shows pip this folder
	@cd build/wheel && unset PYTHONPATH && venv/bin/pip check && PATH="$$PWD/venv/bin:$$PATH" bash ../../tests/cli/try_wheel.sh && rm -rf venv one.parquet && ls *.whl

.PHONY: bench
bench: .venvs/bench/.made ## Measure the time to read a payload, compared with lower bounds and other parsers, in about 4 minutes (ARGS=--quick, ARGS=--stages)
	@.venvs/bench/bin/python -m benchmarks $(ARGS)

.PHONY: loud
loud: .venv/.made ## Measure the loudest batches on the function's share of a core, in about 10 minutes, and write docs/reliability.md (ARGS=noise: one of them)
	@$(BIN)/python -m benchmarks.loud $(or $(ARGS),--write)

.PHONY: cost
cost: .venv/.made ## Count the calls of the functions on ordinary traffic, in about 4 minutes, and write docs/cost.md (ARGS=--page: only the page)
	@$(BIN)/python -m benchmarks.cost $(or $(ARGS),--write)

.PHONY: eval
eval: .venv/.made ## Evaluate the detectors on synthetic traffic: detection rates and unnecessary pages, in about 45 minutes on two cores (ARGS=--quick: about 3 min)
	@$(BIN)/python -m benchmarks.evaluation $(ARGS)

.PHONY: replay-bench
replay-bench: .venv/.made ## Measure the speed and memory of `flowwarden replay` on a day of 1,000 interfaces, in about 3 minutes (ARGS=--week: 20 million records, ARGS=--compare: what it finds, against the evaluation)
	@$(BIN)/python -m benchmarks.replay $(ARGS)

.PHONY: pictures
pictures: .venv/.made ## Make the pictures in docs/pictures again, in about 5 minutes; needs Chromium with its driver
	@$(BIN)/python -m benchmarks.pictures

.PHONY: sweep
sweep: .venv/.made ## Measure the enforcer's sweep of a thousand VPCs, on moto, in about 2 minutes
	@$(BIN)/python -m benchmarks.enforcement $(ARGS)

.PHONY: peers
peers: .venvs/peers-world/.made .venvs/peers-custodian/.made .venvs/peers-prowler/.made ## Check an account swept by the enforcer with Cloud Custodian and Prowler, in about 2 minutes
	@.venvs/peers-world/bin/python -m benchmarks.enforcement.peers $(ARGS)

.PHONY: lock
lock: .venv/.made ## Pin the requirements again
	$(BIN)/uv pip compile --quiet --no-header --generate-hashes --universal --python-version 3.13 layers/dependencies/requirements.in -o layers/dependencies/requirements.txt
	for name in bench cli dev ministack peers-custodian peers-prowler peers-world sam; do $(BIN)/uv pip compile --quiet --no-header --generate-hashes --universal --python-version 3.13 requirements/$$name.in -o requirements/$$name.txt; done

.PHONY: clean
clean: ## Remove everything that the tasks created, including the environments
	rm -rf .venv .venvs build .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
