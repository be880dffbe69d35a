# Two commands do all of their own set-up on a fresh Debian 12: `make demo` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test check bench world fuzz mutants pictures tools parts

# uv from the machine, or fetched by pip into .uv.
UV := $(shell command -v uv || echo .uv/bin/uv)
# -m, not the console scripts: a checkout that was moved keeps working.
RUN := $(UV) run --no-sync python

# One more than there are cores: some tests wait for a board, a browser or a server.
WORKERS := $(shell expr $$(nproc) + 1)

help:  ## Say what can be done here
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | column -t -s "$$(printf '\t')"

.uv/bin/uv:
	python3 -m pip install --quiet --disable-pip-version-check --target .uv uv

tools: $(filter .uv/bin/uv,$(UV))

demo: tools  ## A week of a fictional city, from desk to bank, on emulated passes: var/demo/report.html
	$(UV) sync --quiet --locked --no-group dev
	$(RUN) -m meedoen demo

parts: tools
	tests/install-parts
	$(UV) sync --quiet --locked --extra pcsc --extra pkcs11

check: tools  ## Lint, types and the arrows between the parts
	$(UV) sync --quiet --locked --extra pcsc --extra pkcs11
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	for board in rp2 esp32; do \
		mkdir -p var/stubs && $(UV) export --quiet --locked --only-group stubs-$$board --no-emit-project -o var/stubs/$$board.txt \
		&& $(UV) pip install --quiet --target var/stubs/$$board -r var/stubs/$$board.txt || exit 1; \
	done
	$(RUN) -m tests.board_types
	$(UV) run --no-sync lint-imports

test: parts check  ## All tests, on real parts (installs them by apt where it may)
	$(RUN) -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder tests

bench: parts  ## Measure taps, a personalisation and clearing (books of TRANSACTIONS="100000 1000000"): var/bench.json
	$(UV) sync --quiet --locked --extra pcsc --extra pkcs11 --group heap32
	$(RUN) -m tests.bench $(if $(TRANSACTIONS),--transactions $(TRANSACTIONS))

world: parts  ## A year of a city from a seed (SEED=n TAPS=n, or REPLAY=file); without them five, and then the slow ring
ifneq ($(SEED)$(REPLAY),)
	$(RUN) -m tests.simulation $(if $(REPLAY),--replay $(REPLAY),--seed $(SEED) --taps $(or $(TAPS),2000)) $(if $(PLANT),--plant "$(PLANT)")
else
	$(RUN) -m tests.simulation --seeds $(or $(CITIES),5) --taps $(or $(TAPS),2000)
	$(RUN) -m pytest -n $(WORKERS) tests/world tests/simulation/test_both_pythons.py tests/backend/test_convergence.py tests/issuer/test_desk.py tests/keys/test_server.py \
		--hypothesis-profile world --seeds $(or $(SEEDS),20) --every-byte 1 --every-exchange 1 --kills 200 --proofs 100
endif

fuzz: tools  ## Search for inputs that stop a terminal, and documents that no reader refuses (COUNT=100000 each, NAMES="bank ...")
	$(UV) sync --quiet --locked --extra pcsc --extra pkcs11
	$(RUN) -m tests.fuzz $(or $(COUNT),100000) $(NAMES)

mutants: tools  ## Make mistakes on purpose, and see whether the quick tests notice (PARTS="card journal")
	$(UV) sync --quiet --locked --extra pcsc --extra pkcs11 --group mutants
	$(RUN) -m tests.mutants $(PARTS)

pictures: parts  ## The pages of the desk and of clearing and the screens of a terminal as pictures, for docs
	$(RUN) -m tests.pictures
