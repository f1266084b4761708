# The front door. `make run` and `make test` are all that a fresh machine with Rust and Node needs.

.PHONY: run test test-rust test-clients bench check tools

# Builds the server and starts it on http://127.0.0.1:8080 with an embedded database in ./data.
run: tools
	cargo run --release --locked -- serve

# Every test: Rust on SQLite, and the Apollo clients under Node against a started server.
test: test-rust test-clients

test-rust: tools
	cargo test --workspace --locked

test-clients: tools
	cargo build --locked
	npm ci --prefix tests/clients --no-audit --no-fund
	npm test --prefix tests/clients

# Figures, as ratios measured in one run; they take minutes and belong to the machine they are taken on.
bench: tools
	cargo bench --locked

# What must hold before a commit, beside the tests.
check: tools
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

tools:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.95 or newer (https://rustup.rs)" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "cc is missing: install a C compiler (Debian: apt-get install gcc)" >&2; exit 1; }

test-clients: node
.PHONY: node
node:
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "node is missing: install Node 20 or newer (Debian: apt-get install nodejs npm)" >&2; exit 1; }
