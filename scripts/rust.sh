# Rust, of exactly the pinned version where rustup has it, or a newer one of the system's. Sourced, not run.
# shellcheck shell=bash

RUST_PIN=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")
# What `rustup` calls the toolchain that is used; empty where it is not rustup's.
TOOLCHAIN=""
RUSTUP=""

# Puts the pinned Rust first in PATH; installs it where it is missing. Whatever rustup may do, it does here.
use_rust() {
    export RUSTUP_AUTO_INSTALL=0
    find_rust && return 0
    find_rustup || install_rustup
    say "about to install Rust $RUST_PIN through rustup (some 300 MB in ${RUSTUP_HOME:-$HOME/.rustup})"
    "$RUSTUP" toolchain install "$RUST_PIN" --profile minimal --no-self-update >&2 \
        || fail "rustup could not install Rust $RUST_PIN: its reason stands above"
    find_rust || fail "Rust $RUST_PIN was installed, yet is not found"
}

# use_component NAME PROGRAM: a part of the toolchain that the tests need and `up` does not.
use_component() {
    if have "$2"; then return 0; fi
    if [ -n "$TOOLCHAIN" ] && "$RUSTUP" component add "$1" --toolchain "$TOOLCHAIN" >&2 && have "$2"; then return 0; fi
    say "Rust's component $1 is missing and cannot be had"
    return 1
}

# use_target TRIPLE: a target by name, since one that is only listed in rust-toolchain.toml is not fetched everywhere.
use_target() {
    local libraries
    libraries="$(rustc --print sysroot)/lib/rustlib/$1/lib"
    if [ -d "$libraries" ]; then return 0; fi
    [ -n "$TOOLCHAIN" ] || return 1
    say "about to add Rust's target $1"
    "$RUSTUP" target add "$1" --toolchain "$TOOLCHAIN" >&2 && [ -d "$libraries" ]
}

find_rust() {
    local name cargo
    if find_rustup; then
        # A toolchain of another name serves where it is of the very version.
        for name in "$RUST_PIN" $("$RUSTUP" toolchain list 2>/dev/null | cut -d ' ' -f 1); do
            cargo=$("$RUSTUP" which --toolchain "$name" cargo 2>/dev/null) || continue
            [ "$(version_of "$cargo")" = "$RUST_PIN" ] || continue
            TOOLCHAIN=$name
            export RUSTUP_TOOLCHAIN="$name" PATH="${cargo%/*}:$PATH"
            return 0
        done
        return 1
    fi
    have cargo && have rustc && at_least "$(version_of cargo)"
}

find_rustup() {
    local home="${CARGO_HOME:-$HOME/.cargo}/bin/rustup"
    RUSTUP=$(command -v rustup || true)
    if [ -z "$RUSTUP" ] && [ -x "$home" ]; then RUSTUP=$home; fi
    [ -n "$RUSTUP" ]
}

version_of() {
    "$1" --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p'
}

at_least() {
    [ -n "$1" ] && [ "$(printf '%s\n' "$RUST_PIN" "$1" | sort -V | head -n 1)" = "$RUST_PIN" ]
}

# The distribution's rustup if there is one, else rustup's own installer, after asking.
install_rustup() {
    say "Rust $RUST_PIN is missing"
    if have apt-get; then
        if can_administer; then renew_lists; fi
        if [ -n "$(apt-cache madison rustup 2>/dev/null)" ]; then
            install_now rustup
            find_rustup && return 0
        fi
    fi
    say "this system has no package of rustup. rustup's own installer comes from https://sh.rustup.rs"
    say "and puts Rust into ${CARGO_HOME:-$HOME/.cargo} and ${RUSTUP_HOME:-$HOME/.rustup}; no other file is changed"
    agreed "Fetch and run it?" || fail "Rust $RUST_PIN is needed: install it in your own way and run this again"
    have curl || install_now curl
    curl --proto '=https' --tlsv1.2 --fail --show-error --silent --connect-timeout 30 --max-time 300 https://sh.rustup.rs \
        | sh -s -- -y --no-modify-path --profile minimal --default-toolchain none >&2 \
        || fail "rustup's installer could not be fetched or failed: install Rust $RUST_PIN in your own way and run this again"
    find_rustup || fail "rustup was installed, yet is not found"
    # `sotto uninstall` says how to take it away again.
    mkdir -p "$STATE_DIR"
    date -u +%FT%TZ > "$STATE_DIR/rustup"
}
