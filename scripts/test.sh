# `./sotto test`: every test, one sum. Sourced by ./sotto.

PASSED=0
FAILED=0
SKIPPED=0
LOG_DIR="$TARGET_DIR/test-logs"

# One step that passes or fails as a whole: a name, then a command. What it printed is shown where it failed.
step() {
    local name=$1 log
    shift
    log="$LOG_DIR/$(printf '%s' "$name" | tr -c 'a-z0-9\n' '-').log"
    printf '%-44s' "$name" >&2
    if "$@" > "$log" 2>&1; then
        PASSED=$((PASSED + 1))
        printf 'ok\n' >&2
    else
        FAILED=$((FAILED + 1))
        printf 'FAILED\n' >&2
        tail -n 60 "$log" >&2
    fi
}

# cargo's tests. Their output is kept whole in a file; the screen has the results and, at the end, what failed.
cargo_tests() {
    local log="$LOG_DIR/cargo-test.log" ok=0 skipped
    (cd "$ROOT" && cargo test --release --workspace --locked --no-fail-fast -- --show-output) > "$log" || ok=$?
    count_cargo "$log"
    skipped=$(grep -c '^SKIPPED: ' "$log" || true)
    SKIPPED=$((SKIPPED + skipped))
    PASSED=$((PASSED - skipped))
    grep '^SKIPPED: ' "$log" | sort | uniq -c >&2 || true
    grep -E '^test .* FAILED$' "$log" >&2 || true
    if [ "$ok" -ne 0 ]; then
        sed -n '/^failures:$/,/^test result: FAILED/p' "$log" | tail -n 200 >&2
        # A crate that does not build, or a test binary that was killed, fails without counting any test.
        grep -q '^test result: FAILED' "$log" || FAILED=$((FAILED + 1))
    fi
}

count_cargo() {
    local passed failed
    while read -r passed failed; do
        PASSED=$((PASSED + passed))
        FAILED=$((FAILED + failed))
    done < <(sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed.*/\1 \2/p' "$1")
}

# The browser's tests; Playwright says how many of them passed, failed and were skipped.
web_tests() {
    local log="$LOG_DIR/web.log" ok=0 failed
    say "browser tests"
    (cd "$ROOT/web" && npm ci --no-audit --no-fund && npx --no-install playwright test) > "$log" 2>&1 || ok=$?
    PASSED=$((PASSED + $(sum_of passed "$log")))
    SKIPPED=$((SKIPPED + $(sum_of skipped "$log") + $(sum_of 'did not run' "$log")))
    failed=$(sum_of failed "$log")
    [ "$ok" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
    FAILED=$((FAILED + failed))
    if [ "$ok" -ne 0 ]; then tail -n 120 "$log" >&2; else grep -E '^ +(✓|ok)' "$log" >&2 || true; fi
}

sum_of() {
    local number
    number=$(sed -n "s/^ *\([0-9][0-9]*\) $1.*/\1/p" "$2" | tail -n 1)
    printf '%s' "${number:-0}"
}

wasm_checks() {
    local crate
    if have rustup && ! (cd "$ROOT" && rustup target list --installed) | grep -q wasm32-unknown-unknown; then
        say "about to add Rust's target wasm32-unknown-unknown"
        (cd "$ROOT" && rustup target add wasm32-unknown-unknown) >&2 || true
    fi
    if ! [ -d "$(cd "$ROOT" && rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
        say "the target wasm32-unknown-unknown cannot be had: the crates for the browser are not checked"
        SKIPPED=$((SKIPPED + 4))
        return 0
    fi
    for crate in asr ear gate wire; do
        step "$crate compiles for wasm32" \
            sh -c "cd '$ROOT' && cargo check --release --locked -p $crate --lib --target wasm32-unknown-unknown"
    done
}

run_tests() {
    local long=0
    case "${1:-}" in
        '') ;;
        --long) long=1 ;;
        *) fail "usage: ./sotto test [--long]" ;;
    esac
    [ "$long" -eq 1 ] && export SOTTO_LONG=1
    set_up test
    mkdir -p "$LOG_DIR"
    build
    "$TARGET_DIR/release/sotto" models fetch || fail "the models are needed for the tests"
    cargo_tests
    step "formatting" sh -c "cd '$ROOT' && cargo fmt --all --check"
    step "clippy" sh -c "cd '$ROOT' && cargo clippy --release --workspace --all-targets --locked -- -D warnings"
    wasm_checks
    web_tests
    [ "$long" -eq 1 ] && have cargo-deny && step "licences and sources" sh -c "cd '$ROOT' && cargo deny --offline check bans licenses sources"
    if [ "$SKIPPED" -gt 0 ]; then
        printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
    else
        printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
    fi
    [ "$FAILED" -eq 0 ]
}
