# Entry points. A fresh machine with Rust, Node and Python needs only `make run` and `make test`.

.PHONY: run web binary test test-rust test-clients test-plantdb test-pyjwt test-web test-schemathesis fuzz bench check tools

# The output of a failed command is deleted, so that it does not count as built.
.DELETE_ON_ERROR:

# Builds the server with its console and starts it on http://127.0.0.1:8080 with an embedded database in ./data.
run: tools web
	cargo run --release --locked --features web -- serve

# Builds the console, the playground and the client into web/dist.
web: web/dist/index.html

WEB_SOURCES := schema.graphql $(shell find web -maxdepth 1 -type f; find web/client web/console web/playground web/shared -type f -not -name generated.ts)

web/dist/index.html: $(WEB_SOURCES) web/node_modules/.package-lock.json
	npm run build --prefix web
	touch $@

web/node_modules/.package-lock.json: web/package-lock.json | node
	npm ci --prefix web --no-audit --no-fund
	touch $@

# The binary that the tests start; its pages come from web/dist.
binary: tools web
	cargo build --locked --bins --examples --features web

# Every test: real clients, a browser and the conformance suites against a started server, and Rust on each database
# that runs. All suites run, even if one fails; the failed ones are listed last.
SUITES := test-clients test-plantdb test-pyjwt test-web test-schemathesis test-rust test-servers

test:
	@failed=; for suite in $(SUITES); do $(MAKE) --no-print-directory $$suite || failed="$$failed $$suite"; done; \
	[ -z "$$failed" ] || { echo "FAILED:$$failed (each runs alone by its name, as in: make test-rust)" >&2; exit 1; }; \
	echo "passed: $(SUITES)"

# On SQLite, whatever servers the environment names; skipped tests are listed last.
test-rust: tools
	env -u ACCOUNTD_TEST_POSTGRES -u ACCOUNTD_TEST_MYSQL cargo test --workspace --locked --no-fail-fast
	@command -v strace >/dev/null || echo "NOT TESTED, because strace is missing: disk faults and write order" >&2
	@ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || echo "NOT TESTED, because faketime is missing: clock jumps" >&2

# The Rust tests with those that take minutes: hundreds of kills, and thousands of sequences against the model.
.PHONY: test-slow
test-slow: tools
	ACCOUNTD_TEST_SLOW=1 $(MAKE) test SUITES="test-rust test-servers"

# The same tests on PostgreSQL and on MariaDB, if they run: both, even if one fails. Failed and skipped ones are listed
# last.
test-servers: tools
	@settings=$$(scripts/services) && eval "$$settings"; \
	postgres=$$ACCOUNTD_TEST_POSTGRES; mysql=$$ACCOUNTD_TEST_MYSQL; unset ACCOUNTD_TEST_POSTGRES ACCOUNTD_TEST_MYSQL; \
	failed=; \
	if [ -n "$$postgres" ]; then ACCOUNTD_TEST_POSTGRES=$$postgres cargo test --locked --test it || failed="$$failed PostgreSQL"; fi; \
	if [ -n "$$mysql" ]; then ACCOUNTD_TEST_MYSQL=$$mysql cargo test --locked --test it || failed="$$failed MariaDB"; fi; \
	[ -n "$$postgres" ] || echo "NOT TESTED, because no server runs: PostgreSQL" >&2; \
	[ -n "$$mysql" ] || echo "NOT TESTED, because no server runs: MariaDB" >&2; \
	[ -n "$$ACCOUNTD_TEST_REDIS" ] || echo "NOT TESTED, because no server runs: Redis" >&2; \
	[ -z "$$failed" ] || { echo "FAILED on:$$failed" >&2; exit 1; }

test-clients: binary
	npm ci --prefix tests/clients --no-audit --no-fund
	npm test --prefix tests/clients

# The pages in Chromium; screenshots are in web/screenshots afterwards.
test-web: binary chromium
	npm test --prefix web

# Schemathesis: about a thousand generated requests against the schemas.
test-schemathesis: binary target/schemathesis/installed
	target/schemathesis/bin/python tests/conformance/run_schemathesis.py

target/schemathesis/installed: tests/conformance/schemathesis.txt | python
	python3 -m venv target/schemathesis
	target/schemathesis/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# PlantDB's own clients, the last one with the old paths and the newest, each in a Python environment of its own.
test-plantdb: binary target/plantdb-0.15/installed target/plantdb-0.17/installed
	@failed=; for version in 0.15 0.17; do \
	target/plantdb-$$version/bin/python tests/conformance/run_plantdb.py || failed="$$failed $$version"; done; \
	[ -z "$$failed" ] || { echo "FAILED with plantdb:$$failed" >&2; exit 1; }

# The client requires Python 3.10 to 3.12; later versions are tested all the same.
target/plantdb-%/installed: tests/conformance/plantdb-%.txt | python
	python3 -m venv target/plantdb-$*
	target/plantdb-$*/bin/pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python -r $<
	touch $@

# Which types of tokens a service in Python accepts.
test-pyjwt: binary target/pyjwt/installed
	target/pyjwt/bin/python tests/conformance/run_pyjwt.py

target/pyjwt/installed: tests/conformance/pyjwt.txt | python
	python3 -m venv target/pyjwt
	target/pyjwt/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@

# Runs each fuzz target for one minute, or FUZZ_SECONDS. It needs no nightly compiler, and installs cargo-fuzz into
# target if it is missing.
FUZZ_SECONDS ?= 60
fuzz: tools target/cargo-fuzz/bin/cargo-fuzz
	cd fuzz && PATH="$(CURDIR)/target/cargo-fuzz/bin:$$PATH" cargo fuzz run --sanitizer none documents -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10
	cd fuzz && PATH="$(CURDIR)/target/cargo-fuzz/bin:$$PATH" cargo fuzz run --sanitizer none imports -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10
	cd fuzz && PATH="$(CURDIR)/target/cargo-fuzz/bin:$$PATH" cargo fuzz run --sanitizer none passwords -- -max_total_time=$(FUZZ_SECONDS) -max_len=2048 -timeout=10

target/cargo-fuzz/bin/cargo-fuzz:
	@command -v c++ >/dev/null || { echo "c++ is missing: install a C++ compiler (Debian: apt-get install g++)" >&2; exit 1; }
	mkdir -p $(@D)
	if command -v cargo-fuzz >/dev/null; then ln -sf "$$(command -v cargo-fuzz)" $@; else cargo install --locked --root target/cargo-fuzz cargo-fuzz; fi

# Benchmarks: ratios measured in one run of a quarter of an hour; they are valid for this machine only.
bench: tools
	@settings=$$(scripts/services) && eval "$$settings"; cargo bench --locked

# The checks before a commit, beside the tests.
check: tools web
	npm run check --prefix web
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --locked --features web -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

tools:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.95 or newer (https://rustup.rs)" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "cc is missing: install a C compiler (Debian: apt-get install gcc)" >&2; exit 1; }

test-clients: node
.PHONY: node
node:
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "node is missing: install Node 20.19 or newer with npm (https://nodejs.org)" >&2; exit 1; }
	@node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)' || { echo "node is too old: install Node 20.19 or newer (https://nodejs.org)" >&2; exit 1; }

# Installs Chromium if possible; otherwise CHROMIUM is the path of one.
.PHONY: chromium
chromium:
	@test -x "$${CHROMIUM:-/usr/bin/chromium}" || { apt-get update -q && apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; } || { echo "Chromium is missing: install it, or set CHROMIUM to its path" >&2; exit 1; }

.PHONY: python
python:
	@command -v python3 >/dev/null && python3 -c 'import ensurepip' || { echo "python3 is missing: install Python 3.10 or newer (Debian: apt-get install python3-venv)" >&2; exit 1; }
