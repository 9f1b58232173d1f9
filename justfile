# List the recipes.
default:
    @just --list

# Build the program.
build:
    cargo build --locked

# Run all tests.
test:
    cargo test --locked

# Check format and lints.
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# Run the benchmarks.
bench:
    cargo bench --locked

# Fuzz each parser for this many seconds.
fuzz seconds="60":
    .ci/fuzz {{seconds}}

# Build the API docs.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

# Run all that a change has to pass.
ci:
    .ci/run
