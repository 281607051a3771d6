#!/usr/bin/env bash
# Builds and starts irongate, with mock providers when no provider key is found, and shows how to call it.
# RELEASE=1 builds optimised; LISTEN=host:port overrides the configured address; RUN_DIR is where configuration and data
# live.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

RUN_DIR="${RUN_DIR:-$ROOT}"
PROVIDER_KEYS='(OPENAI|ANTHROPIC|GEMINI|GOOGLE|MISTRAL|DEEPSEEK|DASHSCOPE|QWEN)_API_KEY'

build() {
    need_command curl curl
    # For tests: a binary that is built already.
    if [ -n "${IRONGATE_BIN:-}" ]; then
        IRONGATE="$IRONGATE_BIN"
        return
    fi
    need_rust
    if [ "${RELEASE:-0}" = 1 ]; then
        (cd "$ROOT" && cargo build --locked --release -p gateway)
        IRONGATE="$TARGET_DIR/release/irongate"
    else
        (cd "$ROOT" && cargo build --locked -p gateway)
        IRONGATE="$TARGET_DIR/debug/irongate"
    fi
}

# Succeeds when NAME_API_KEY has a value in the environment or in .env; with no argument any provider will do.
has_key() {
    local name="${1:-$PROVIDER_KEYS}"
    env | grep -Eq "^${name}=.+" && return
    [ -f .env ] && grep -Eq "^(export )?${name}=[\"']?[A-Za-z0-9]" .env
}

# The file that irongate will take, or nothing.
config_file() {
    local candidate
    for candidate in irongate.yaml config/proxy-config.yaml config.yaml; do
        if [ -f "$candidate" ]; then
            say "$candidate"
            return
        fi
    done
}

# Providers or models that somebody set up in the file, with keys or, for local servers, without.
is_configured() {
    local file
    file="$(config_file)"
    [ -n "$file" ] && grep -Eq "^(providers|models):" "$file"
}

choose_mode() {
    if [ -z "${ENABLE_MOCK_MODE:-}" ] && ! { [ -f .env ] && grep -q '^ENABLE_MOCK_MODE=' .env; }; then
        if ! has_key && ! is_configured; then
            export ENABLE_MOCK_MODE=true
            say "No provider key in .env or the environment and no provider configured: using the built-in mock providers."
        fi
    fi
    choose_model
}

# A model for the curl lines that the keys at hand can reach; any dialect reaches any provider.
choose_model() {
    MODEL=openai/gpt-4o-mini
    [ "${ENABLE_MOCK_MODE:-}" != true ] || return 0
    local pair
    for pair in OPENAI_API_KEY=openai/gpt-4o-mini ANTHROPIC_API_KEY=anthropic/claude-haiku-4-5 \
        '(GEMINI|GOOGLE)_API_KEY=gemini/gemini-2.5-flash' MISTRAL_API_KEY=mistral/mistral-small-latest \
        DEEPSEEK_API_KEY=deepseek/deepseek-chat '(QWEN|DASHSCOPE)_API_KEY=qwen/qwen-plus'; do
        if has_key "${pair%%=*}"; then
            MODEL="${pair#*=}"
            return 0
        fi
    done
}

# What curl can reach: the configured address, with a host that is not a wildcard.
choose_address() {
    local configured="" file
    file="$(config_file)"
    if [ -n "$file" ]; then
        configured="$(sed -nE 's/^listen:[[:space:]]*"?([^"[:space:]]+)"?.*/\1/p' "$file")"
    fi
    ADDRESS="${LISTEN:-${IRONGATE_LISTEN:-${configured:-127.0.0.1:8080}}}"
    case "$ADDRESS" in
        0.0.0.0:* | '[::]:'* | :*) ADDRESS="127.0.0.1:${ADDRESS##*:}" ;;
    esac
}

start() {
    choose_address
    if curl -s -o /dev/null --max-time 2 "http://$ADDRESS/health/live"; then
        die "something answers on $ADDRESS already: stop it, or choose another address with 'make run LISTEN=127.0.0.1:8081'"
    fi
    # In a session of its own, or Ctrl-C would reach it twice: from the terminal and from here.
    setsid "$IRONGATE" serve ${LISTEN:+--listen "$LISTEN"} &
    SERVER=$!
    STOPPING=0
    trap 'STOPPING=1; kill -TERM "$SERVER" 2>/dev/null || true' INT TERM
    local waited=0
    until curl -s -f -o /dev/null --max-time 2 "http://$ADDRESS/health/ready"; do
        kill -0 "$SERVER" 2>/dev/null || die "irongate did not start: its last message above says why"
        waited=$((waited + 1))
        [ "$waited" -lt 300 ] || { kill -TERM "$SERVER"; die "irongate is not ready after 30 s: its messages above say why"; }
        sleep 0.1
    done
}

first_key() {
    KEY=""
    # Shown once and stored nowhere in clear: a later run cannot print it again.
    local names
    names="$("$IRONGATE" keys list | cut -f1)"
    if ! grep -qx first <<<"$names"; then
        KEY="$("$IRONGATE" keys create --name first)"
        # The running gateway takes it over within a second.
        local waited=0
        until curl -s -f -o /dev/null --max-time 2 -H "Authorization: Bearer $KEY" "http://$ADDRESS/v1/models"; do
            waited=$((waited + 1))
            [ "$waited" -lt 50 ] || die "the first key did not become effective: see the messages above"
            sleep 0.1
        done
    fi
}

show() {
    local url="http://$ADDRESS"
    say ""
    say "irongate answers on $url"
    if [ -n "$KEY" ]; then
        say "First client key (shown only now): $KEY"
        say "  KEY=$KEY"
    else
        say "Use a client key you have, or make another:"
        say "  KEY=\$(cd $RUN_DIR && $IRONGATE keys create --name another)"
    fi
    say ""
    say "OpenAI:"
    say "  curl -sS $url/v1/chat/completions -H \"Authorization: Bearer \$KEY\" -H 'Content-Type: application/json' -d '{\"model\":\"$MODEL\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'"
    say "Anthropic:"
    say "  curl -sS $url/v1/messages -H \"x-api-key: \$KEY\" -H 'anthropic-version: 2023-06-01' -H 'Content-Type: application/json' -d '{\"model\":\"$MODEL\",\"max_tokens\":256,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'"
    say "Gemini:"
    say "  curl -sS $url/v1beta/models/$MODEL:generateContent -H \"x-goog-api-key: \$KEY\" -H 'Content-Type: application/json' -d '{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hello\"}]}]}'"
    say ""
    say "Stop with Ctrl-C."
}

build
mkdir -p "$RUN_DIR"
cd "$RUN_DIR"
choose_mode
start
first_key
show
# A signal cuts the first wait short; the second waits for the streams in flight and has the server's own status.
status=0
wait "$SERVER" || status=$?
if [ "$STOPPING" = 1 ]; then
    status=0
    wait "$SERVER" || status=$?
fi
exit "$status"
