#!/usr/bin/env bash
# Tries Sotto as a stranger would: a fresh Debian that has nothing but git and this machine's certificates, a clone of
# this repository, and the README's commands and all of the tests, each timed.
#
#   packaging/try-in-debian.sh [OPTION…] DIR [-- COMMAND ARGUMENT…]
#
#   DIR            where the Debian goes; one that is there already is used as it is
#   --suite NAME   which Debian (bookworm)
#   --mirror URL   where from (debootstrap's own choice)
#   --copy-rust    copies this machine's rustup and pinned toolchain, for where rustup's hosts cannot be reached
#   --keep         goes on with the clone of the last try: nothing is built or fetched twice
#   --             runs this instead, in the clone: -- ./sotto test
#
# Needs root (chroot, mounts), debootstrap and git. Everything runs in namespaces of its own: when the script ends, so do
# its mounts and its processes; DIR stays, for you to delete.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
SUITE=bookworm
MIRROR=""
COPY_RUST=no
KEEP=no
# What tells the clients of package registries where to ask, and whom to trust.
PASSED_ON='^(PIP_|CARGO_HTTP_|CARGO_REGISTRIES_|CARGO_NET_|NPM_CONFIG_|npm_config_|SSL_CERT_|REQUESTS_CA_BUNDLE=|'
PASSED_ON+='CURL_CA_BUNDLE=|NODE_EXTRA_CA_CERTS=|http_proxy=|https_proxy=|no_proxy=|HTTP_PROXY=|HTTPS_PROXY=|NO_PROXY=)'
# The cloud is asked once a second whether it is up.
UP_TRIES=1800

fail() { echo "try-in-debian: $*" >&2; exit 2; }

usage() { sed -n '2,/^set -e/s/^#\( \|$\)//p' "${BASH_SOURCE[0]}"; }

main() {
    local dir="" command=()
    while [ $# -gt 0 ]; do
        case "$1" in
            --suite) SUITE=${2:?}; shift 2 ;;
            --mirror) MIRROR=${2:?}; shift 2 ;;
            --copy-rust) COPY_RUST=yes; shift ;;
            --keep) KEEP=yes; shift ;;
            -h | --help) usage; exit ;;
            --) shift; command=("$@"); break ;;
            -*) fail "unknown option $1" ;;
            *) dir=$1; shift ;;
        esac
    done
    [ -n "$dir" ] || fail "where should the Debian go? (--help tells)"
    [ "$(id -u)" -eq 0 ] || fail "chroot needs root"
    if [ "${TRY_IN_NAMESPACE:-}" != yes ]; then
        TRY_IN_NAMESPACE=yes exec unshare --mount --pid --fork --kill-child "${BASH_SOURCE[0]}" "${ARGUMENTS[@]}"
    fi
    # The first process of a namespace gets only the signals that it asks for.
    trap 'exit 130' INT TERM
    make_debian "$dir"
    [ "$COPY_RUST" = no ] || copy_rust "$dir"
    clone "$dir"
    mounts "$dir"
    if [ "${#command[@]}" -gt 0 ]; then
        inside "$dir" "${command[@]}"
        return
    fi
    inside "$dir" ./sotto ask --say "Alexa, what time is it"
    # Everything is there by now: this is what a start costs from then on.
    inside "$dir" ./sotto ask --say "Alexa, what time is it" --json
    inside "$dir" bash -c "UP_TRIES=$UP_TRIES; $(declare -f try_up); try_up"
    inside "$dir" ./sotto test
}

make_debian() {
    [ -x "$1/usr/bin/apt-get" ] || debootstrap --variant=minbase "$SUITE" "$1" ${MIRROR:+"$MIRROR"}
    settings "$1"
    if ! chroot "$1" git --version >/dev/null 2>&1; then
        chroot "$1" apt-get update -q
        DEBIAN_FRONTEND=noninteractive chroot "$1" apt-get install -q -y --no-install-recommends git ca-certificates
        settings "$1"
    fi
}

# The network's names, the certificates, and which registries are asked: as on this machine.
settings() {
    local file place
    for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /etc/pip.conf \
        "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf" "$HOME/.npmrc" "${CARGO_HOME:-$HOME/.cargo}/config.toml"; do
        [ -f "$file" ] || continue
        place=${file/#"$HOME"/\/root}
        mkdir -p "$1$(dirname "$place")"
        cp -L "$file" "$1$place"
    done
}

copy_rust() {
    local pin cargo home=${RUSTUP_HOME:-$HOME/.rustup} name
    pin=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")
    cargo=$(RUSTUP_AUTO_INSTALL=0 rustup which --toolchain "$pin" cargo) || fail "Rust $pin is not on this machine"
    name=$(basename "${cargo%/bin/cargo}")
    mkdir -p "$1/root/.cargo/bin" "$1/root/.rustup/toolchains"
    cp -a "${CARGO_HOME:-$HOME/.cargo}/bin/." "$1/root/.cargo/bin/"
    cp "$home/settings.toml" "$1/root/.rustup/"
    [ -d "$1/root/.rustup/toolchains/$name" ] || cp -a "$(readlink -f "${cargo%/bin/cargo}")" "$1/root/.rustup/toolchains/$name"
}

clone() {
    if [ "$KEEP" = yes ] && [ -d "$1/root/sotto/.git" ]; then return 0; fi
    rm -rf "$1/root/sotto"
    git clone --quiet --no-hardlinks "$ROOT" "$1/root/sotto"
}

# Seen by this script's own namespace alone.
mounts() {
    mount --make-rprivate /
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
}

# Runs a command in the clone, with a clean environment, and tells how long it took and how it ended.
inside() {
    local dir=$1 passed outcome=0 started=$SECONDS
    shift
    mapfile -t passed < <(env | grep -E "$PASSED_ON" || true)
    echo "\$ $*" >&2
    # shellcheck disable=SC2016 # for the shell inside
    env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        "${passed[@]}" chroot "$dir" /bin/bash -c 'cd /root/sotto && exec "$@"' inside "$@" || outcome=$?
    echo "= exit code $outcome after $((SECONDS - started)) s" >&2
    return "$outcome"
}

# Runs inside: `./sotto up` is waited for until it says that it is there, and stopped.
try_up() {
    local up tries=0
    ./sotto up &
    up=$!
    until ./target/release/sotto status; do
        tries=$((tries + 1))
        if ! kill -0 "$up" || [ "$tries" -ge "$UP_TRIES" ]; then exit 1; fi
        sleep 1
    done
    ./target/release/sotto stop
    wait "$up"
}

ARGUMENTS=("$@")
main "$@"
