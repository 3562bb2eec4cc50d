# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := qt,dev
LOWEST := .venv-lowest
LOWEST_WINDOW := .venv-lowest-window
PYSIDE := $(CURDIR)/.venv-pyside
LOWEST_TESTERS := einops hatchling hypothesis jsonschema monai pytest pytest-socket pytest-xdist pyyaml scikit-learn
PIP_LOWEST = $(1)/bin/pip install --quiet --disable-pip-version-check -c $(1)/constraints.txt
STAMP := $(VENV)/.installed

SYSTEM_LIBRARIES := xvfb xauth libgl1-mesa-dri libegl1 libopengl0 libdbus-1-3 libxkbcommon-x11-0 \
  libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 \
  libxcb-shape0 libxcb-xinerama0 libxcb-xinput0 libxcb-xfixes0

.PHONY: help install system-libraries demo test test-lowest test-pyside trust fuzz lint bench pictures docs clean

help: ## Show what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

install: $(STAMP) ## Make .venv and install the project into it

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 install"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "The venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV). Some minutes: PyTorch alone can be gigabytes."
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

system-libraries:
	@sh scripts/system-libraries.sh $(SYSTEM_LIBRARIES)

demo: $(STAMP) system-libraries ## Segment bundled real images and show what naive seams cut
	$(BIN)/shiftseg demo -o demo --overwrite

test: $(STAMP) system-libraries ## Run all tests
	$(BIN)/python -m pytest -q -n auto --ignore=tests/_napari
	sh scripts/with-display.sh $(BIN)/python -m pytest -q -n auto tests/_napari

test-lowest: system-libraries ## Run the tests with the lowest versions that pyproject.toml allows
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(PYTHON) scripts/lowest.py > $(LOWEST)/constraints.txt
	$(call PIP_LOWEST,$(LOWEST)) torch
	$(call PIP_LOWEST,$(LOWEST)) -e '.[cluster,zoo]' $(LOWEST_TESTERS)
	$(LOWEST)/bin/python -m pytest -q -n auto -W ignore::DeprecationWarning \
	  --ignore=tests/_napari --ignore=tests/docs --ignore=tests/test_release.py
	test -x $(LOWEST_WINDOW)/bin/python || $(PYTHON) -m venv $(LOWEST_WINDOW)
	$(PYTHON) scripts/lowest.py napari qt > $(LOWEST_WINDOW)/constraints.txt
	$(call PIP_LOWEST,$(LOWEST_WINDOW)) torch
	$(call PIP_LOWEST,$(LOWEST_WINDOW)) -e '.[qt,cluster,zoo]' npe2 pytest-qt $(LOWEST_TESTERS)
	sh scripts/with-display.sh $(LOWEST_WINDOW)/bin/python -m pytest -q -n auto -W ignore tests/_napari

test-pyside: $(STAMP) system-libraries ## Run the tests of the window with PySide6 instead of PyQt6
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --target $(PYSIDE) 'PySide6_Essentials<6.12'
	PYTHONPATH=$(PYSIDE) QT_API=pyside6 PYTEST_QT_API=pyside6 \
	  sh scripts/with-display.sh $(BIN)/python -m pytest -q -n auto tests/_napari

trust: $(STAMP) system-libraries ## Try everything that could be lost, executed or surprising; ends with a table
	$(BIN)/python tests/trust/run.py

fuzz: $(STAMP) ## Fuzz readers, models, labels and commands, guided by coverage: make fuzz SECONDS=60
	$(BIN)/python tests/trust/fuzz.py --seconds $(or $(SECONDS),60)

lint: $(STAMP) ## Run the linters and type checks of CI
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## Measure speed and memory, as ratios in one run: make bench JSON=FILE
	$(BIN)/python benchmarks --page docs/benchmarks.md $(if $(JSON),--json $(JSON))

pictures: $(STAMP) system-libraries ## Take every picture of the documentation anew, in real windows at twice the resolution
	$(BIN)/python examples/hero.py docs/images
	$(BIN)/python examples/causes.py docs/images
	for tour in tour check_tour audit_tour train_tour faces; do \
	  QT_SCALE_FACTOR=2 SCREEN=3200x2000x24 sh scripts/with-display.sh \
	    $(BIN)/python examples/$$tour.py docs/images || exit 1; \
	done

docs: $(STAMP) ## Build the documentation into docs/_build/html, every warning an error
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

clean: ## Remove what the other targets made
	rm -rf $(VENV) $(LOWEST) $(LOWEST_WINDOW) demo build dist docs/_build
