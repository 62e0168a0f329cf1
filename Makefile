# One word each; CONTRIBUTING.md says what they do.
PYTHON = .venv/bin/python
INSTALL = .venv/bin/pip install -q -c requirements.lock

# All extras but that of training, whose packages are large and nobody else's.
EXTRAS = import tomllib; extras = tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']; \
  print(*('--extra ' + name for name in extras if name != 'training'))

.PHONY: setup check test bench fix demo docs lock train ci

setup:
	python3 -m venv .venv
	$(INSTALL) -e '.[dev]'

check:
	@bash .ci/check

test:
	$(PYTHON) -m pytest

bench:
	for each in steps bus replay recovery sleepers models sync; do $(PYTHON) -m benchmarks.$$each || exit 1; done

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
	  --universal --python-version 3.11 $$($(PYTHON) -c "$(EXTRAS)") pyproject.toml -o requirements.lock

train:
	python3 -m venv .training/venv
	.training/venv/bin/pip install -q -c requirements.lock -e '.[training]'
	for each in train export calibrate; do .training/venv/bin/python -m training.$$each || exit 1; done
	.training/venv/bin/python -m training.evaluate --json > .training/figures.json
	.training/venv/bin/python -m training.card .training/figures.json

ci:
	bash .ci/run
