# Shared by the scripts: where things are, and how a missing tool is installed or named. Sourced, not run.

set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TARGET_DIR="${CARGO_TARGET_DIR:-$ROOT/target}"

say() { printf '%s\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# need_command COMMAND PACKAGE: installs the Debian package when the command is missing and we may, else says what to do.
need_command() {
    if command -v "$1" >/dev/null 2>&1; then
        return
    fi
    install_packages "$1" "$2"
    command -v "$1" >/dev/null 2>&1 || die "$1 is still missing after installing $2"
}

install_packages() {
    local wanted="$1" packages="$2" elevate=""
    command -v apt-get >/dev/null 2>&1 || die "$wanted is missing: install it with your package manager (Debian: $packages)"
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            die "$wanted is missing and sudo would ask for a password: run 'sudo apt-get install $packages'"
        fi
        elevate="sudo -n"
    fi
    say "Installing $packages (for $wanted) ..."
    # shellcheck disable=SC2086  # both are lists of words
    $elevate env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages" >/dev/null ||
        die "could not install $packages: run 'apt-get update && apt-get install $packages' and look at what it says"
}

# The toolchain version stands in rust-toolchain.toml; rustup installs it on first use.
need_rust() {
    if ! command -v cargo >/dev/null 2>&1 && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    command -v cargo >/dev/null 2>&1 ||
        die "Rust is missing: install rustup as told on https://rustup.rs, open a new shell and try again"
    local wanted have
    wanted="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")"
    have="$(cd "$ROOT" && cargo --version | cut -d' ' -f2)" || die "cargo does not run: see the message above"
    [ "$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n1)" = "$wanted" ] ||
        die "Rust $wanted or newer is needed and cargo is $have: install rustup as told on https://rustup.rs"
    # SQLite and the crypto library are C.
    if ! command -v cc >/dev/null 2>&1; then
        install_packages "a C compiler" "gcc libc6-dev"
    fi
}

# need_venv FOLDER REQUIREMENTS: a Python environment that holds exactly the pinned packages.
need_venv() {
    local folder="$1" requirements="$2"
    need_command python3 "python3 python3-venv"
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages "Python's venv" python3-venv
    if ! cmp -s "$requirements" "$folder/installed.txt"; then
        say "Installing Python packages into ${folder#"$ROOT"/} ..."
        python3 -m venv "$folder"
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
        cp "$requirements" "$folder/installed.txt"
    fi
}
