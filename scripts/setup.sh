# What ./sotto needs before it can build: Debian packages and Rust. Sourced, not run.
# Each step looks first, says what it is about to do, and may be interrupted and run again.

RUST_PIN=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")
STATE_DIR="${XDG_STATE_HOME:-$HOME/.local/state}/sotto"
TARGET_DIR="${CARGO_TARGET_DIR:-$ROOT/target}"

say() { printf 'sotto: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Prints the packages of the given lists that are not there.
missing_packages() {
    local list package command
    for list in "$@"; do
        while read -r package command; do
            case "$package" in '' | '#'*) continue ;; esac
            if [ -n "$command" ] && have "$command"; then continue; fi
            if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ]; then continue; fi
            printf '%s\n' "$package"
        done < "$ROOT/scripts/$list"
    done
}

# apt alone needs the administrator: as root, through sudo, or not at all.
apt_get() {
    if [ "$(id -u)" -eq 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get "$@"
    else
        sudo DEBIAN_FRONTEND=noninteractive apt-get "$@"
    fi
}

install_packages() {
    local wanted
    wanted=$(missing_packages "$@" | sort -u | tr '\n' ' ')
    wanted=${wanted% }
    [ -n "$wanted" ] || return 0
    have apt-get || fail "this needs (by their Debian names): $wanted"
    if [ "$(id -u)" -ne 0 ] && ! have sudo; then
        say "these Debian packages are missing; as the administrator, run:"
        printf '  apt-get update && apt-get install --no-install-recommends %s\n' "$wanted" >&2
        exit 2
    fi
    say "about to install these Debian packages: $wanted"
    apt_get update -q >&2 || fail "apt-get update failed: see its words above"
    # shellcheck disable=SC2086 # a list of names
    apt_get install -q -y --no-install-recommends $wanted >&2 || fail "apt-get install failed: see its words above"
    mkdir -p "$STATE_DIR"
    # What was not there before is ours to list at `sotto uninstall`.
    printf '%s\n' "$wanted" | tr ' ' '\n' >> "$STATE_DIR/packages"
}

# True where cargo is at least the pinned version, in this folder.
rust_is_there() {
    local version
    have cargo || return 1
    version=$(cd "$ROOT" && RUSTUP_AUTO_INSTALL=0 cargo --version 2>/dev/null | cut -d ' ' -f 2) || return 1
    [ -n "$version" ] || return 1
    [ "$(printf '%s\n' "$RUST_PIN" "$version" | sort -V | head -n 1)" = "$RUST_PIN" ]
}

install_rust() {
    if [ -f "$HOME/.cargo/env" ]; then
        # shellcheck disable=SC1091
        . "$HOME/.cargo/env"
    fi
    rust_is_there && return 0
    if ! have rustup && have apt-cache && [ -n "$(apt-cache madison rustup 2>/dev/null)" ]; then
        say "Rust $RUST_PIN is missing: about to install Debian's package rustup"
        apt_get install -q -y --no-install-recommends rustup >&2 || true
    fi
    if ! have rustup; then
        say "Rust $RUST_PIN is missing, and this system has no package of rustup."
        say "about to fetch rustup's own installer from https://sh.rustup.rs (into ~/.cargo and ~/.rustup)"
        if [ "${CI:-}" != true ] && [ "${SOTTO_YES:-}" != 1 ]; then
            [ -t 0 ] || fail "nobody to ask: set SOTTO_YES=1 to agree, or install Rust $RUST_PIN yourself"
            printf 'Go on? [y/N] ' >&2
            local answer
            read -r answer
            case "$answer" in y | Y | yes) ;; *) fail "Rust $RUST_PIN is needed" ;; esac
        fi
        have curl || install_curl
        curl --proto '=https' --tlsv1.2 -fsS https://sh.rustup.rs \
            | sh -s -- -y --no-modify-path --profile minimal --default-toolchain none >&2 \
            || fail "rustup's installer failed: install Rust $RUST_PIN by hand and run this again"
        # shellcheck disable=SC1091
        . "$HOME/.cargo/env"
    fi
    say "about to install Rust $RUST_PIN through rustup"
    rustup toolchain install "$RUST_PIN" --profile minimal --component clippy --component rustfmt >&2 \
        || fail "rustup could not install Rust $RUST_PIN"
}

install_curl() {
    say "about to install the Debian package curl"
    apt_get install -q -y --no-install-recommends curl >&2 || fail "apt-get install curl failed"
}

# Packages and Rust, at once where a stamp says that nothing has changed since it last was in order.
set_up() {
    local stamp="$TARGET_DIR/.setup-$1" lists=(packages-up.txt) mark
    [ "$1" = test ] && lists+=(packages-test.txt)
    mark="$(cd "$ROOT" && sha256sum scripts/packages-*.txt rust-toolchain.toml | sha256sum) $(command -v cargo || true)"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$mark" ] && return 0
    install_packages "${lists[@]}"
    install_rust
    mkdir -p "$TARGET_DIR"
    mark="$(cd "$ROOT" && sha256sum scripts/packages-*.txt rust-toolchain.toml | sha256sum) $(command -v cargo || true)"
    printf '%s' "$mark" > "$stamp"
}

# Builds what runs. Quiet where there is nothing to do, with cargo's own progress where there is.
build() {
    (cd "$ROOT" && cargo build --release --workspace --bins --locked "$@") \
        || fail "the build failed: see cargo's words above"
}

# Cargo shows its progress only where something is to be built.
build_when_needed() {
    if [ -x "$TARGET_DIR/release/sotto" ]; then build --quiet; else
        say "about to build: some minutes the first time"
        build
    fi
}
