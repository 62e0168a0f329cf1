# One word each; CONTRIBUTING.md says what they do.
PYTHON = .venv/bin/python
INSTALL = .venv/bin/pip install -q -c requirements.lock

.PHONY: setup check test bench fix demo docs lock ci

setup:
	python3 -m venv .venv
	$(INSTALL) -e '.[dev]'

check:
	@bash .ci/check

test:
	$(PYTHON) -m pytest

bench:
	for each in steps bus replay recovery sleepers; do $(PYTHON) -m benchmarks.$$each || exit 1; done

fix:
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format

demo:
	.venv/bin/skerry demo

docs:
	$(PYTHON) -m pytest tests/docs

lock:
	.venv/bin/pip install -q uv
	$(PYTHON) -m uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --universal --python-version 3.11 --all-extras pyproject.toml -o requirements.lock

ci:
	bash .ci/run
