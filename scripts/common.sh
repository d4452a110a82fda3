# What the other scripts share. Sourced, not run.
# shellcheck shell=bash disable=SC2034
# Everything for a person goes to standard error: standard output is the command's own (`--json`).

[ -n "${HOME:-}" ] || HOME=$(getent passwd "$(id -u)" | cut -d : -f 6)
export HOME
STATE_DIR="${XDG_STATE_HOME:-$HOME/.local/state}/sotto"
CACHE_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/sotto"

# Cargo takes a relative target directory from where it is run, which is always the root.
TARGET_DIR="${CARGO_TARGET_DIR:-target}"
case "$TARGET_DIR" in /*) ;; *) TARGET_DIR="$ROOT/$TARGET_DIR" ;; esac
export CARGO_TARGET_DIR="$TARGET_DIR"

say() { printf 'sotto: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Asks; --yes, SOTTO_YES=1 and CI=true agree beforehand. Without anyone to ask, the answer is no.
agreed() {
    local answer
    if [ "${SOTTO_YES:-}" = 1 ] || [ "${CI:-}" = true ]; then return 0; fi
    if ! [ -t 0 ]; then
        say "nobody to ask here: ./sotto --yes … agrees"
        return 1
    fi
    printf 'sotto: %s [y/N] ' "$1" >&2
    read -r answer
    case "$answer" in y | Y | yes) ;; *) return 1 ;; esac
}
