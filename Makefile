# Every target sets up what it needs (tools/setup); `make` alone says what there is.

.PHONY: help ready servers demo test check bench soak verifier lock clean

help:
	@echo 'make demo    a whole site with simulated cars plays its story, then says where things are'
	@echo 'make test    check, then every test; fails below the limits of coverage'
	@echo 'make check   ruff, mypy --strict, import contracts'
	@echo 'make bench   measure, and print a table for docs/performance.md'
	@echo 'make soak    ten thousand cars for ten minutes, a crash at every write, a thousand lives of a border, a million hostile inputs to each decoder: hours'
	@echo 'make verifier  build/onshore-verify.pyz: verifies parcels, proofs and logs with Python alone'
	@echo 'make lock    resolve requirements.lock anew (needs uv)'
	@echo 'make clean   remove what these have made'

ready:
	@tools/setup

servers:
	@tools/servers

demo: ready
	@rm -rf build/demo build/demo-abroad build/demo-regulator
	@.venv/bin/onshore demo --site build/demo $(ARGS)

check: ready
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy
	.venv/bin/lint-imports --no-logo

# The limits of coverage are held inside pytest, so that its own summary is the last thing printed.
test: servers check
	.venv/bin/python -m pytest -p tests.pure --numprocesses=auto --maxprocesses=4 --dist=loadfile \
		--cov --cov-report= --cov-fail-under=90 $(ARGS)

bench: ready
	@.venv/bin/python -m bench $(ARGS)

# Guided by branches where atheris is in .venv, else mutated blindly; it says which.
soak: ready
	ONSHORE_SOAK_SECONDS=600 .venv/bin/python -m bench soak
	.venv/bin/python tests/soak_faults.py
	.venv/bin/python tests/soak_border.py
	.venv/bin/python tests/soak.py $(ARGS)

# One file of the verifier's modules, for machines without Onshore; needs nothing but Python.
verifier:
	@python3 tools/verifier

lock:
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' --quiet --output-file requirements.lock

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
