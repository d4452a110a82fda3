# `./sotto test`: every test, one sum. Sourced, not run.
# shellcheck shell=bash

PASSED=0
FAILED=0
SKIPPED=0
LOG_DIR="$TARGET_DIR/test-logs"
# The crates that the browser's device is made of.
WASM_CRATES=(asr ear gate wire)
WASM_TARGET=wasm32-unknown-unknown
# All of cargo's tests; a test that hangs must not keep the sum from being printed.
CARGO_TESTS_SECONDS_MAX=3000
CARGO_TESTS_LONG_SECONDS_MAX=36000
WEB_TESTS_SECONDS_MAX=900

run_tests() {
    local long=no
    case "$*" in
        '') ;;
        --long) long=yes ;;
        *) fail "usage: ./sotto test [--long]" ;;
    esac
    # Soaks take their full length, and properties are tried on ten times as many inputs as proptest's own 256.
    if [ "$long" = yes ]; then export SOTTO_LONG=1 PROPTEST_CASES="${PROPTEST_CASES:-2560}"; fi
    install_packages up train test
    build
    mkdir -p "$LOG_DIR"
    step_live "models: fetched and whole" "$TARGET_DIR/release/sotto" models fetch
    if step_live "the tests build" in_root cargo test --release --workspace --locked --no-run; then
        cargo_tests "$long"
    fi
    checks
    wasm_checks
    web_tests
    print_sum
    [ "$FAILED" -eq 0 ]
}

print_sum() {
    if [ "$SKIPPED" -gt 0 ]; then
        printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
    else
        printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
    fi
}

in_root() { (cd "$ROOT" && "$@"); }

# step NAME COMMAND…: a test that passes or fails as a whole. What it printed is shown where it failed.
step() {
    local name=$1 log
    shift
    log="$LOG_DIR/$(tr -c 'a-z0-9\n' '-' <<< "$name").log"
    printf '  %-44s' "$name" >&2
    if "$@" > "$log" 2>&1; then
        PASSED=$((PASSED + 1))
        echo ok >&2
    else
        FAILED=$((FAILED + 1))
        echo FAILED >&2
        tail -n 100 "$log" >&2
        return 1
    fi
}

# The same, with its own progress on the screen.
step_live() {
    local name=$1
    shift
    say "$name"
    if "$@" >&2; then PASSED=$((PASSED + 1)); else
        FAILED=$((FAILED + 1))
        say "$name: FAILED"
        return 1
    fi
}

# Cargo's tests run in the background with their words in a file, which awk follows and sums.
cargo_tests() {
    local log="$LOG_DIR/cargo-test.log" sums="$LOG_DIR/cargo-test.sums" seconds=$CARGO_TESTS_SECONDS_MAX
    local arguments=(--show-output) cargo outcome=0 passed=0 failed=0 skipped=0
    if [ "$1" = yes ]; then
        arguments+=(--include-ignored)
        seconds=$CARGO_TESTS_LONG_SECONDS_MAX
    fi
    say "cargo's tests (all they say is in $log)"
    rm -f "$sums"
    # There before tail looks for it: the background may take its time.
    : > "$log"
    (cd "$ROOT" && exec timeout --kill-after=10 "$seconds" \
        cargo test --release --workspace --locked --no-fail-fast -- "${arguments[@]}") > "$log" 2>&1 < /dev/null &
    cargo=$!
    # shellcheck disable=SC2064 # this very process
    trap "kill $cargo 2>/dev/null || true" EXIT
    tail --pid="$cargo" --sleep-interval=0.2 -n +1 -f "$log" | awk -v sums="$sums" -f "$ROOT/scripts/cargo-tests.awk" || true
    wait "$cargo" || outcome=$?
    trap - EXIT
    read -r passed failed skipped < "$sums" || failed=1
    if [ "$outcome" -eq 124 ] || [ "$outcome" -eq 137 ]; then
        say "cargo's tests took longer than $seconds s and were ended"
        failed=$((failed + 1))
    elif [ "$outcome" -ne 0 ] && [ "$failed" -eq 0 ]; then
        tail -n 40 "$log" >&2
        failed=1
    fi
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
    SKIPPED=$((SKIPPED + skipped))
}

checks() {
    say "checks"
    if use_component rustfmt cargo-fmt; then
        step "formatting" in_root cargo fmt --all --check || true
    else
        SKIPPED=$((SKIPPED + 1))
    fi
    if use_component clippy cargo-clippy; then
        step "clippy" in_root cargo clippy --release --workspace --all-targets --locked -- -D warnings || true
    else
        SKIPPED=$((SKIPPED + 1))
    fi
    step "shell scripts" in_root shellcheck -x sotto .ci/run scripts/*.sh packaging/*.sh || true
    # The advisories need the network; the rest is in the repository.
    if have cargo-deny; then
        step "licences and sources of dependencies" in_root cargo deny --offline check bans licenses sources || true
    fi
}

wasm_checks() {
    local crate
    if ! use_target "$WASM_TARGET"; then
        say "SKIPPED: Rust's target $WASM_TARGET cannot be had; the browser's crates are not checked"
        SKIPPED=$((SKIPPED + ${#WASM_CRATES[@]}))
        return 0
    fi
    for crate in "${WASM_CRATES[@]}"; do
        step "$crate compiles for $WASM_TARGET" \
            in_root cargo check --release --locked --package "$crate" --lib --target "$WASM_TARGET" || true
    done
    step "the recogniser hears in WebAssembly" in_root wasm_recogniser || true
}

# A synthetic voice's sentence through the module that a page would load.
wasm_recogniser() {
    local models=${SOTTO_MODELS:-${XDG_CACHE_HOME:-$HOME/.cache}/sotto/models} sound="$LOG_DIR/time.wav"
    cargo build --release --locked --package asr --example browser --target "$WASM_TARGET" &&
        espeak-ng -w "$sound" "What time is it in New York?" &&
        node crates/asr/tests/browser.mjs "$TARGET_DIR/$WASM_TARGET/release/examples/browser.wasm" \
            "$models/whisper-tiny-en/model.i8" "$sound" time
}

# The browser's tests; Playwright says how many of them passed, failed and were skipped.
web_tests() {
    local log="$LOG_DIR/web.log" outcome=0 failed
    say "tests in the browser"
    in_web npm_packages > "$log" 2>&1 || outcome=$?
    if [ "$outcome" -eq 0 ]; then
        in_web timeout --foreground --kill-after=10 "$WEB_TESTS_SECONDS_MAX" npx --no-install playwright test --reporter=list \
            < /dev/null > "$log" 2>&1 || outcome=$?
    fi
    PASSED=$((PASSED + $(sum_of passed "$log")))
    SKIPPED=$((SKIPPED + $(sum_of skipped "$log") + $(sum_of 'did not run' "$log")))
    failed=$(($(sum_of failed "$log") + $(sum_of flaky "$log")))
    if [ "$outcome" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
    FAILED=$((FAILED + failed))
    if [ "$outcome" -ne 0 ]; then tail -n 200 "$log" >&2; else grep -E '^ +(✓|ok|-) ' "$log" >&2 || true; fi
}

in_web() { (cd "$ROOT/web" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 "$@"); }

# npm's own copy of the lock file tells what is installed.
npm_packages() {
    if [ node_modules/.package-lock.json -nt package-lock.json ]; then return 0; fi
    npm ci --no-audit --no-fund
}

sum_of() {
    local number
    number=$(sed -n "s/^ *\([0-9][0-9]*\) $1\( .*\)\?\$/\1/p" "$2" | tail -n 1)
    printf '%s' "${number:-0}"
}
