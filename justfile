# `just` lists the recipes. CONTRIBUTING.md explains them.

_default:
    @just --list

# Build the program, with the sandbox.
build:
    cargo build --locked

# All tests.
test *ARGS:
    cargo test --locked {{ARGS}}

# What every change has to pass.
ci:
    .ci/run

# Format and lint.
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Random walks of the model-based test; `just walks 20000` takes hours.
walks COUNT="2000":
    OKTAPIECES_WALKS={{COUNT}} cargo test --locked --test it no_walk

# Each fuzz target for so many seconds.
fuzz SECONDS="60":
    .ci/fuzz {{SECONDS}}

# CPU benchmarks of planning and of expressions.
bench:
    cargo bench --locked --bench plan
    cargo bench --locked --bench expression

# The rows of docs/performance.md; `just end-to-end --row "10k, apply"` for some of them.
end-to-end *ARGS:
    cargo build --release --locked
    benches/end-to-end {{ARGS}}

# Licences, advisories and versions of the dependencies.
deny:
    cargo deny check

# The documentation of the code.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --open
