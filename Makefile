# Every target makes what it needs: a virtual environment in .venv with pinned packages, and nothing outside the tree.
# Needed on the machine: make, and Python 3.11 or later with its venv module.

PYTHON    ?= $(firstword $(foreach each,python3 python3.13 python3.12 python3.11,$(shell $(each) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(each))))
VENV      ?= .venv
BIN       := $(VENV)/bin
ARGS      ?=
PREFIX    ?= /usr/local
DESTDIR   ?=
# The unit folder that every systemd reads, whatever PREFIX is; the same holds for sysusers.d and tmpfiles.d.
SYSTEMD   ?= $(PREFIX)/lib/systemd/system
PIP       := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
INPUTS    := pyproject.toml constraints.txt
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run drill test lint format bench bench-bounds coverage docs pictures wheel install install-files uninstall clean

help: ## show these targets
	@echo 'make TARGET [ARGS="..."]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: $(RUN_READY) ## run the daemon in the foreground, no configuration needed (ARGS="--config FILE")
	@$(BIN)/autonomyd $(ARGS)

drill: $(RUN_READY) ## break real services in a scratch folder and show how they are healed
	@$(BIN)/autonomyd drill $(ARGS)

test: $(DEV_READY) ## run all tests (ARGS="-k NAME")
	@$(BIN)/python -m pytest $(ARGS)

lint: $(DEV_READY) ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_READY) ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV_READY) ## measure cost and speed on this machine
	@$(BIN)/python tests/benchmarks/run.py $(ARGS)

bench-bounds: $(DEV_READY) ## the same, and fail when a figure is beyond its bound
	@$(BIN)/python tests/benchmarks/run.py --bounds $(ARGS)

coverage: $(DEV_READY) ## run all tests and show the lines that none of them reached
	@$(BIN)/coverage run -m pytest $(ARGS)
	@$(BIN)/coverage report --show-missing --skip-covered

docs: $(DEV_READY) ## write again the pages that are generated from the code
	@$(BIN)/python -c 'from pathlib import Path; from autonomyd.monitor.probes import check_kinds; \
	  from autonomyd.settings.reference import write_pages; write_pages(Path("."), check_kinds())'

pictures: $(RUN_READY) ## draw the pictures of the documentation again (ARGS="status" or "drill")
	@$(BIN)/python docs/images/make.py $(ARGS)

wheel: $(DEV_READY) ## build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

install: install-files ## install for the whole machine below PREFIX (DESTDIR for a package)
	$(PYTHON) -m venv --clear $(DESTDIR)$(PREFIX)/lib/autonomyd
	$(DESTDIR)$(PREFIX)/lib/autonomyd/bin/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt '.[systemd,alerts]'
	sed -i.orig '1s|$(DESTDIR)/|/|' $(DESTDIR)$(PREFIX)/lib/autonomyd/bin/autonomyd $(DESTDIR)$(PREFIX)/lib/autonomyd/bin/autonomyctl
	rm $(DESTDIR)$(PREFIX)/lib/autonomyd/bin/*.orig
	install -d $(DESTDIR)$(PREFIX)/bin
	ln -sf ../lib/autonomyd/bin/autonomyd ../lib/autonomyd/bin/autonomyctl $(DESTDIR)$(PREFIX)/bin/
	@echo 'Next: systemd-sysusers && systemd-tmpfiles --create autonomyd.conf && systemctl daemon-reload && systemctl enable --now autonomyd'

install-files: ## only the unit, the group, and the example files (no Python package)
	install -d $(DESTDIR)$(SYSTEMD) $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d \
	  $(DESTDIR)$(PREFIX)/share/doc/autonomyd
	sed 's|/usr/bin/autonomyd|$(PREFIX)/bin/autonomyd|; s|/usr/share/doc|$(PREFIX)/share/doc|' \
	  packaging/systemd/autonomyd.service >$(DESTDIR)$(SYSTEMD)/autonomyd.service
	chmod 0644 $(DESTDIR)$(SYSTEMD)/autonomyd.service
	install -m 0644 packaging/sysusers.d/autonomyd.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/
	install -m 0644 packaging/tmpfiles.d/autonomyd.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/
	install -m 0644 packaging/systemd/examples/*.conf etc/autonomyd.toml README.md LICENSE \
	  $(DESTDIR)$(PREFIX)/share/doc/autonomyd/

uninstall: ## remove what install put there; state, configuration and logs stay
	rm -rf $(DESTDIR)$(PREFIX)/lib/autonomyd $(DESTDIR)$(PREFIX)/share/doc/autonomyd
	rm -f $(DESTDIR)$(PREFIX)/bin/autonomyd $(DESTDIR)$(PREFIX)/bin/autonomyctl \
	  $(DESTDIR)$(SYSTEMD)/autonomyd.service $(DESTDIR)$(PREFIX)/lib/sysusers.d/autonomyd.conf \
	  $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/autonomyd.conf

clean: ## remove the virtual environment and every cache
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

# The pip of an older Python cannot read [dependency-groups]; the pinned one can, so the list stays in one place.
# An environment that a failed run left without pip is made again.
$(VENV)/.made: constraints.txt
	@test -n '$(PYTHON)' || { echo 'autonomyd needs Python 3.11 or later (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python).' \
	  'If it has another name: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo '$(PYTHON) is older than Python 3.11' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo '$(PYTHON) has no venv module (Debian, Ubuntu: apt install python3-venv)' >&2; exit 1; }
	@echo 'Making $(VENV) ...'
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) pip
	@touch $@

$(RUN_READY): $(VENV)/.made $(INPUTS)
	@echo 'Installing autonomyd and what it needs ...'
	@$(PIP) --build-constraint constraints.txt --editable '.[systemd,postgres,mysql,yaml,alerts]'
	@touch $@

$(DEV_READY): $(RUN_READY)
	@echo 'Installing what the tests and checks need ...'
	@$(PIP) hatchling --group dev
	@touch $@
