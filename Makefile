# make demo    installs what is needed into .venv and runs `didact distill`
# make test    installs what is needed into .venv, then lint, types, floors and tests
# make plates  reads the drawn streets of apps/plates/examples; `make plates-test` runs that application's tests
# make site    the documentation with the page for pasted code under try/, for any static host (needs npm)
# make pages   writes every page and picture that is made from the code
PYTHON ?= python3.11
BIN := .venv/bin
# One BLAS thread for each test process: the tests run side by side and the numbers repeat.
export OMP_NUM_THREADS ?= 1

.PHONY: attack demo plates plates-test test lint types floors unit pages docs site clean

.venv/.installed: pyproject.toml apps/plates/pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt "torch==2.13.0"
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	    --editable ".[torch,export,lsp,records,text,web]" --editable "apps/plates[fetch,page]" $$($(PYTHON) -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['dev'])")
	touch $@

# The libraries that some tests want as they are; without them those tests are skipped.
.venv/.integrations: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	    --editable ".[torch,tensorboard,mlflow,wandb,optuna,lightning,accelerate,slurm,ray,text,transformers,sentence-transformers]" trl
	touch $@

demo: .venv/.installed
	env -u OMP_NUM_THREADS $(BIN)/didact distill --output runs/demo --overwrite

plates: .venv/.installed
	$(BIN)/didact-plates apps/plates/examples

plates-test: .venv/.installed
	$(BIN)/pytest apps/plates/tests

lint: .venv/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.installed
	$(BIN)/mypy

floors: .venv/.installed
	$(BIN)/lint-imports --no-cache

unit: .venv/.integrations
	$(BIN)/pytest -n 2 --dist loadfile

test: lint types floors unit

# The long part of the tests of docs/reliability.md, with its figures: every file operation, 1,000
# flipped bits, 5,000 pastes, ten minutes of random programs.
attack: .venv/.installed
	DIDACT_ATTACK=1 $(BIN)/pytest tests/attack tests/cli/test_missing.py tests/train/distilling/test_resume.py \
	    tests/train/distilling/test_killed_worker.py tests/train/learning/test_resume.py -n 2 -rP

.venv/.docs: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	    $$($(PYTHON) -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['docs'])")
	touch $@

# Every page and picture made from the code: each docs/generate_*.py. A minute or two.
pages: .venv/.installed
	@for script in docs/generate_*.py; do echo $$script; $(BIN)/python $$script || exit 1; done

# The site, docs/_build/html. Of the pages made from the code all are committed but those of the rules.
docs: .venv/.docs
	$(BIN)/python docs/generate_rules.py
	$(BIN)/sphinx-build -q -W --keep-going $(SPHINX) docs docs/_build/html
	@echo "docs/_build/html/index.html"

# Python for the browser, from the npm registry.
build/pyodide/package:
	mkdir -p build/pyodide
	cd build/pyodide && npm pack --silent pyodide@314.0.7 && tar xzf pyodide-*.tgz

site: SPHINX = -t site
site: docs build/pyodide/package
	$(BIN)/python -m didact.web.site docs/_build/html/try build/pyodide/package ../index.html
	@echo "docs/_build/html/try/index.html, to be served by any static host"

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
