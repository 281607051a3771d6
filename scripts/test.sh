#!/usr/bin/env bash
# Everything that must hold, part by part. A failing part does not stop the others; the counts go to target/test-counts.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT"
COUNTS="$ROOT/target/test-counts"
LOGS="$ROOT/target/test-logs"
mkdir -p "$LOGS"
: >"$COUNTS"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
if [ -n "${CI:-}" ]; then
    export CARGO_INCREMENTAL=0
fi

# record PART PASSED FAILED
record() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$COUNTS"; }

# run PART COMMAND...: shows and keeps the output; STATUS is what the command returned.
run() {
    local part="$1"
    shift
    say ""
    say "== $part: $*"
    STATUS=0
    "$@" 2>&1 | tee "$LOGS/$part.log" || STATUS=$?
}

# A part that is one check.
check() {
    run "$@"
    if [ "$STATUS" = 0 ]; then record "$1" 1 0; else record "$1" 0 1; fi
}

# Adds up every "N word" of lines that match a pattern: sum LOG PATTERN WORD
sum() {
    { grep -E "$2" "$LOGS/$1.log" || true; } | grep -oE "[0-9]+ $3" | awk '{ total += $1 } END { print total + 0 }'
}

# record_counted PART PASSED FAILED: a part that failed without a failing test (it did not build) counts as one failure.
record_counted() {
    local failed="$3"
    if [ "$STATUS" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
    if [ "$STATUS" = 0 ] && [ "$2" = 0 ] && [ "$failed" = 0 ]; then
        say "error: $1 ran no test at all" && failed=1
    fi
    record "$1" "$2" "$failed"
}

part_tidy() {
    run tidy cargo run --locked -q -p xtask -- tidy
    record_counted tidy "$(sum tidy '^tidy: ' 'rules passed')" "$(sum tidy '^tidy: ' 'rules failed')"
}

part_rust() {
    if cargo nextest --version >/dev/null 2>&1; then
        run rust cargo nextest run --locked --workspace --profile ci
        local ran passed
        ran="$(sum rust '^ +Summary ' 'tests? run')"
        passed="$(sum rust '^ +Summary ' 'passed')"
        record_counted rust "$passed" "$((ran - passed))"
    else
        say "cargo-nextest is not installed: using cargo test (no time limit per test)"
        run rust cargo test --locked --workspace --lib --bins --tests --no-fail-fast
        record_counted rust "$(sum rust '^test result: ' 'passed')" "$(sum rust '^test result: ' 'failed')"
    fi
}

part_docs() {
    run doc-examples cargo test --locked --workspace --doc --no-fail-fast
    local passed failed
    passed="$(sum doc-examples '^test result: ' 'passed')"
    failed="$(sum doc-examples '^test result: ' 'failed')"
    if [ "$STATUS" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
    record doc-examples "$passed" "$failed"
}

# No measurement: that the harness builds, and that it notices wrong answers.
part_bench_harness() {
    check bench-clippy cargo clippy --locked --manifest-path bench/Cargo.toml --target-dir "$TARGET_DIR/bench" --all-targets -- -D warnings
    run bench-harness cargo test --locked --manifest-path bench/Cargo.toml --target-dir "$TARGET_DIR/bench"
    record_counted bench-harness "$(sum bench-harness '^test result: ' 'passed')" "$(sum bench-harness '^test result: ' 'failed')"
}

part_deny() {
    if cargo deny --version >/dev/null 2>&1; then
        check deny cargo deny --locked check bans licenses sources
    else
        say "" && say "== deny: skipped, cargo-deny is not installed (cargo install --locked cargo-deny)"
    fi
}

part_sdk() {
    need_command curl curl
    need_venv "$ROOT/tests/sdk/.venv" "$ROOT/tests/sdk/requirements.txt"
    run binary cargo build --locked -p gateway
    if [ "$STATUS" != 0 ]; then
        record sdk 0 1
        return
    fi
    export IRONGATE_BIN="$TARGET_DIR/debug/irongate"
    run sdk tests/sdk/.venv/bin/python -m pytest tests/sdk -q -p no:cacheprovider
    local summary='^=*.* in [0-9.]+s'
    record_counted sdk "$(sum sdk "$summary" passed)" "$(($(sum sdk "$summary" failed) + $(sum sdk "$summary" error)))"
}

need_rust
need_command git git
check format cargo fmt --all --check
part_tidy
check clippy cargo clippy --locked --workspace --all-targets -- -D warnings
part_rust
part_docs
part_bench_harness
part_deny
part_sdk

say ""
awk -F'\t' '{ printf "%-14s %5d passed  %4d failed\n", $1, $2, $3 }' "$COUNTS"
awk -F'\t' '{ failed += $3 } END { exit failed > 0 }' "$COUNTS"
