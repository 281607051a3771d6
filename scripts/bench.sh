#!/usr/bin/env bash
# Builds the optimised binary and the load generator, and hands over to bench/run.py.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT"
need_rust
need_command python3 python3
need_command taskset util-linux
PATH="$PATH:/usr/sbin" need_command nginx nginx-light
cargo build --locked --release -p gateway
cargo build --locked --release --manifest-path bench/Cargo.toml --target-dir "$TARGET_DIR/bench"
arguments=(--irongate "$TARGET_DIR/release/irongate" --gwbench "$TARGET_DIR/bench/release/gwbench")
[ "${QUICK:-0}" = 1 ] && arguments+=(--quick)
[ "${WRITE:-0}" = 1 ] && arguments+=(--write docs/performance.md)
exec python3 bench/run.py "${arguments[@]}" ${ARGS:-}
