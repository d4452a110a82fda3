# Debian packages: what is missing is named, installed, and written down for `sotto uninstall`. Sourced, not run.
# shellcheck shell=bash

# Packages that were not there before these scripts ran, dependencies included, one a line.
PACKAGES_RECORD="$STATE_DIR/packages"
# What was installed before the present call of apt; there only while it runs.
PACKAGES_BEFORE="$STATE_DIR/packages.before"
LISTS_RENEWED=no

# install_packages SET…: sees to the packages of the lists scripts/packages-SET.txt. Costs some milliseconds where all
# are there.
install_packages() {
    local wanted
    mapfile -t wanted < <(missing_packages "$@")
    [ "${#wanted[@]}" -eq 0 ] || install_now "${wanted[@]}"
}

# Prints the packages of the given sets that neither their probe nor dpkg finds.
missing_packages() {
    local set package probe absent=()
    for set in "$@"; do
        while read -r package probe _; do
            case "$package" in '' | '#'*) continue ;; esac
            is_there "$probe" || absent+=("$package")
        done < "$ROOT/scripts/packages-$set.txt"
    done
    for package in "${absent[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

is_there() {
    local alternatives one
    IFS='|' read -r -a alternatives <<< "$1"
    for one in "${alternatives[@]}"; do
        case "$one" in
            file:*) compgen -G "${one#file:}" >/dev/null && return 0 ;;
            library:*) pkg-config --exists "${one#library:}" 2>/dev/null && return 0 ;;
            # Where our own Python environment is made already, nothing more is asked of the system's.
            python:*)
                [ -x "$CACHE_DIR/python/bin/python3" ] && return 0
                python3 -c "import ${one#python:}" 2>/dev/null && return 0
                ;;
            env:*) [ -n "$(printenv "${one#env:}")" ] && return 0 ;;
            *) have "$one" && return 0 ;;
        esac
    done
    return 1
}

# install_now PACKAGE…: says what it installs, installs it, and writes down what is new.
install_now() {
    local outcome=0
    have apt-get || fail "these are missing (by their Debian names); please install them: $*"
    find_administrator "$@"
    renew_lists
    say "about to install these Debian packages and what they depend on: $*"
    mkdir -p "$STATE_DIR"
    installed_packages > "$PACKAGES_BEFORE"
    # An interrupted installation is written down as well.
    trap record_packages EXIT
    as_administrator apt-get install --yes --no-install-recommends "${APT_OPTIONS[@]}" "$@" || outcome=$?
    record_packages
    trap - EXIT
    [ "$outcome" -eq 0 ] || fail "apt-get could not install them: its reason stands above (run this again to go on)"
}

# -q without a terminal's tricks: each package is a line. Another apt that is at work is waited for, five minutes.
APT_OPTIONS=(-q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)

# apt alone needs the administrator: as root, through sudo, or by hand.
find_administrator() {
    can_administer && return 0
    say "these Debian packages are missing, and there is no way to become the administrator here. Please run, as root:"
    printf '  apt-get update && apt-get install --no-install-recommends %s\n' "$*" >&2
    exit 2
}

can_administer() {
    [ "$(id -u)" -eq 0 ] || { have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

as_administrator() {
    if [ "$(id -u)" -eq 0 ]; then
        DEBIAN_FRONTEND=noninteractive "$@" >&2
    else
        sudo DEBIAN_FRONTEND=noninteractive "$@" >&2
    fi
}

# Once a run; and what an interrupted installation left half done is done first, since apt refuses to go on otherwise.
renew_lists() {
    [ "$LISTS_RENEWED" = no ] || return 0
    LISTS_RENEWED=yes
    if [ -n "$(dpkg --audit 2>/dev/null)" ]; then
        say "finishing an installation that was interrupted"
        as_administrator dpkg --configure -a || true
    fi
    say "renewing the lists of Debian packages"
    as_administrator apt-get update "${APT_OPTIONS[@]}" || say "not every list could be renewed; going on with what there is"
}

installed_packages() {
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u
}

record_packages() {
    [ -f "$PACKAGES_BEFORE" ] || return 0
    installed_packages | comm -13 "$PACKAGES_BEFORE" - >> "$PACKAGES_RECORD"
    rm -f "$PACKAGES_BEFORE"
}
