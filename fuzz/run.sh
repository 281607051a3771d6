#!/bin/sh
# Runs fuzz targets, each for the given time, from the inputs in corpus/ (written first, kept and grown).
#
#   fuzz/run.sh [SECONDS] [TARGET...]       SECONDS default to 60, TARGETs to all
#   JOBS=2 fuzz/run.sh 600                  two targets at a time
#   FUZZ_LOSSES=1 fuzz/run.sh               request targets also look for fields lost without a word
#
# Needs a stable Rust toolchain and a C++ compiler. Ends with 1 when a target found a fault; the input is then in
# artifacts/<target>, and `run.sh replay TARGET FILE` runs it once.
set -eu
cd "$(dirname "$0")"

host=$(rustc -vV | sed -n 's/^host: //p')
build=${CARGO_TARGET_DIR:-$PWD/target}
# Coverage instrumentation as libFuzzer wants it, debug assertions and overflow checks on.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags="$flags -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
flags="$flags -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks --cfg fuzzing"

nice -n 15 cargo run --quiet --release --no-default-features --bin starting_inputs
# --target keeps build scripts free of the instrumentation.
RUSTFLAGS="$flags" nice -n 15 cargo build --quiet --release --features targets --target "$host" \
    $(sed -n 's/^name = "\(.*_.*\)"$/--bin \1/p' Cargo.toml | grep -v starting_inputs)

if [ "${1:-}" = replay ]; then
    exec "$build/$host/release/$2" "$3"
fi

seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-$(sed -n 's/^name = "\(.*_.*\)"$/\1/p' Cargo.toml | grep -v starting_inputs)}

# Runs one target and prints its line of the report.
one() {
    mkdir -p "corpus/$1" "artifacts/$1" logs
    status=0
    nice -n 19 "$build/$host/release/$1" "corpus/$1" -max_total_time="$seconds" -max_len=16384 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="artifacts/$1/" >"logs/$1.log" 2>&1 || status=$?
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "logs/$1.log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "logs/$1.log" | tail -n 1)
    verdict=clean
    [ "$status" -eq 0 ] || verdict="FAULT (exit $status, logs/$1.log)"
    printf '%-20s %12s executions %8s edges  %s\n' "$1" "${executed:-?}" "${covered:-?}" "$verdict"
    return "$status"
}

failed=0
waiting=
for target in $targets; do
    one "$target" &
    waiting="$waiting $!"
    set -- $waiting
    if [ $# -ge "${JOBS:-1}" ]; then
        wait "$1" || failed=1
        shift
        waiting=$*
    fi
done
for job in $waiting; do
    wait "$job" || failed=1
done
exit "$failed"
