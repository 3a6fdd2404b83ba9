# make app    set up .venv on the first call, then serve the studio on this machine
# make test   install what was tested, to the hash (requirements.lock), then run the tests; needs Python 3.11 or newer
# make lock   write requirements.lock again after a list of requirements has changed; UPGRADE=1 takes newer releases
# make nightly  tests that train for minutes, such as the model card's commands, twice, to the same bytes
# make lint   ruff, pyright, the rules of who may import whom, and the checks of the page's modules
# make web    the checks of the page's modules alone: types, linter, formatter and their tests in Node.js
#
# PYTHON=python3.12 chooses another interpreter; ARGS="--port 8000" goes to app.py, TESTS="tests/test_cli.py" to pytest.
# What ran out of time, as a browser on a busy machine may, is tried again, and the summary says so.
# WORKERS says in how many processes the tests run; each has a server and a set of models of its own.

PYTHON ?= python3
ARGS ?=
TESTS ?=
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && echo 4 || echo $$n)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app test nightly lint web setup-app setup-dev lock browser clean

app: setup-app
	$(BIN)/python app.py $(ARGS)

test: setup-dev browser node_modules/.installed
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --reruns 2 --only-rerun TimeoutError $(TESTS)

nightly: setup-dev
	$(BIN)/python -m pytest -m nightly $(TESTS)

lint: setup-dev web
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo

web: node_modules/.installed
	npm run --silent lint
	npm run --silent types
	npm run --silent test

node_modules/.installed: package.json package-lock.json
	@.ci/debian "nodejs npm" npm
	npm ci --no-audit --no-fund
	@touch $@

setup-app: $(VENV)/.app-installed
setup-dev: $(VENV)/.dev-installed

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

# A stamp is written only after an installation that went through; a changed list of requirements makes it stale.
$(VENV)/.app-installed: requirements.txt | $(VENV)/.created
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev-installed: requirements.lock | $(VENV)/.created
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "The development tools need Python 3.11 or newer: make clean, then make PYTHON=python3.12 test" >&2; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@ $(VENV)/.app-installed

# What is installed here, and so was tested, with the hashes of its files for every platform. Which index they came from
# is left out: the hashes say what they are.
lock: | $(VENV)/.created
	$(BIN)/python -m pip install --disable-pip-version-check -q uv
	$(BIN)/python -m pip install --disable-pip-version-check -q $(if $(UPGRADE),--upgrade) -r requirements-dev.txt
	$(BIN)/python -m pip freeze --exclude-editable > $(VENV)/installed.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate $(if $(UPGRADE),--upgrade) -c $(VENV)/installed.txt requirements-dev.txt -o requirements.lock

browser:
	@.ci/debian chromium chromium chromium-browser google-chrome google-chrome-stable
	@.ci/debian firefox-esr firefox-esr firefox || echo "Without Firefox its smoke test is left out." >&2

clean:
	rm -rf $(VENV) node_modules .pytest_cache .ruff_cache test-artifacts
