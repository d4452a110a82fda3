# The binaries: built where anything is newer than they are. Sourced, not run.
# shellcheck shell=bash

BINARIES=(sotto sotto-device sotto-ear sotto-link sotto-mic sotto-panel)
# Holds the root it was built from, and is as old as the beginning of the last build that succeeded.
BUILT_STAMP="$TARGET_DIR/.sotto-built"

# Cargo is asked only where something has changed: a look at the dates of a few hundred files is quicker.
build_when_needed() {
    is_built || build
}

is_built() {
    local binary
    [ -f "$BUILT_STAMP" ] && [ "$(cat "$BUILT_STAMP")" = "$ROOT" ] || return 1
    for binary in "${BINARIES[@]}"; do
        [ -x "$TARGET_DIR/release/$binary" ] || return 1
    done
    [ -z "$(find "$ROOT" \( -name .git -o -name target -o -name node_modules -o -name test-results -o -path "$TARGET_DIR" \) \
        -prune -o -newer "$BUILT_STAMP" -print -quit)" ]
}

build() {
    use_rust
    mkdir -p "$TARGET_DIR"
    printf '%s' "$ROOT" > "$BUILT_STAMP.new"
    [ -x "$TARGET_DIR/release/sotto" ] || say "about to build with Rust $RUST_PIN: some minutes the first time"
    # All of the workspace's binaries, so that the tests find every dependency built with the features they want.
    (cd "$ROOT" && cargo build --release --workspace --bins --locked) || fail "the build failed: cargo's reason stands above"
    mv -f "$BUILT_STAMP.new" "$BUILT_STAMP"
}
