#!/usr/bin/env bash
# Runs the integration tests of some crates while the system calls of everything they start are held up, one kind after
# the other: what depends on who comes first fails here, and not one day in a hundred on somebody else's machine.
#   scripts/delays.sh hearing gateway
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source=scripts/common.sh
. "$ROOT/scripts/common.sh"

TESTS_SECONDS_MAX=900
# Which calls are held up, for how many microseconds, and which of each thread's.
# shellcheck disable=SC2054 # the commas are strace's
DELAYS=(
    write:delay_enter=20000:when=1+3
    write:delay_exit=60000:when=1+7
    read:delay_enter=20000:when=1+4
    poll,ppoll:delay_exit=20000:when=1+3
    epoll_wait,epoll_pwait:delay_exit=50000:when=1+4
    writev,sendto,sendmsg,recvfrom,readv:delay_enter=20000:when=1+3
    futex:delay_exit=10000:when=1+5
    exit_group,close:delay_enter=30000:when=1+9
    clone,clone3,execve,wait4,waitid,pidfd_open:delay_exit=50000
    openat,rename,renameat2,fsync,fdatasync,unlink:delay_enter=30000:when=1+6
)

main() {
    local crate delay built binary folder log failed=0
    [ $# -gt 0 ] || fail "which crates? for example: scripts/delays.sh hearing gateway"
    command -v strace > /dev/null || fail "strace is needed (Debian: apt-get install strace)"
    cd "$ROOT"
    built=$(cargo test --release --workspace --locked --no-run --message-format=json-render-diagnostics)
    log=$(mktemp)
    # shellcheck disable=SC2064 # this very file
    trap "rm -f '$log'" EXIT
    for crate in "$@"; do
        read -r binary folder < <(integration_tests "$crate" <<< "$built") || fail "$crate: no crate with integration tests"
        for delay in "${DELAYS[@]}"; do
            # From the crate's own folder, as cargo would.
            if (cd "$folder" && timeout "$TESTS_SECONDS_MAX" strace -f --seccomp-bpf -qqq -o /dev/null \
                -e "trace=${delay%%:*}" -e "inject=$delay" "$binary" --test-threads=4) > "$log" 2>&1; then
                say "$crate, $delay: ok"
            else
                failed=$((failed + 1))
                say "$crate, $delay: FAILED"
                grep -A 3 "panicked at" "$log" | cut -c1-300 >&2 || tail -n 5 "$log" >&2
            fi
        done
    done
    [ "$failed" -eq 0 ] || fail "$failed runs failed"
}

# The program of a crate's integration tests and the crate's folder, from what cargo says it built.
integration_tests() {
    python3 -c '
import json, os, sys
for message in map(json.loads, sys.stdin):
    folder = os.path.dirname(message.get("manifest_path", ""))
    if message.get("executable") and message["target"]["name"] == "it" and os.path.basename(folder) == sys.argv[1]:
        print(message["executable"], folder)
' "$1"
}

main "$@"
