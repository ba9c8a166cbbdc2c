# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# common.sh -- messages, bounded waits and small questions about the machine.

STARTED_AT=$(date +%s)

say() { printf 'cellwarden: %s\n' "$*"; }
note() { printf 'cellwarden: %s\n' "$*" >&2; }

die() {
    printf 'cellwarden: error: %s\n' "$*" >&2
    exit 1
}

usage_error() {
    printf 'cellwarden: %s\n' "$*" >&2
    exit 2
}

# The value of an option, or exit 2 when there is none: value_of "$@" with $1 = the option.
value_of() {
    [ $# -ge 2 ] || usage_error "$1 needs a value"
    printf '%s' "$2"
}

elapsed() { echo $(($(date +%s) - STARTED_AT)); }
has() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }
is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }

is_port() { is_number "$1" && [ "${#1}" -le 5 ] && [ "$1" -ge 1 ] && [ "$1" -le 65535 ]; }

# wait_for SECONDS COMMAND..: until the command succeeds; 1 when the time is over.
wait_for() {
    tries=$(($1 * 10))
    shift
    while ! "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

# Does anything listen on this TCP port, on any address? Read from the kernel: no tool is needed.
port_busy() {
    awk -v want="$(printf '%04X' "$1")" '
        $4 == "0A" { n = split($2, part, ":"); if (part[n] == want) found = 1 }
        END { exit !found }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# The first port that nobody listens on, from $1 upwards.
free_port() {
    port=$1
    while port_busy "$port"; do
        port=$((port + 1))
        [ "$port" -le 65535 ] || die "no free TCP port from $1 upwards"
    done
    echo "$port"
}

# A port for a second instance: random, so that instances that start together seldom meet.
random_port() { free_port $((20000 + $(od -An -N2 -tu2 /dev/urandom) % 20000)); }

# run_quietly LOG WHAT COMMAND..: show only that it runs; on failure show the end of its output.
run_quietly() {
    log=$1
    what=$2
    shift 2
    mkdir -p "$(dirname "$log")"
    say "$what ..."
    "$@" >"$log" 2>&1 </dev/null && return 0
    tail -n 40 "$log" >&2
    die "$what failed; all of its output is in $log"
}

# A proxy that inspects TLS has its CA in Debian's store; npm and pip bring stores of their own and are told of it.
system_ca=/etc/ssl/certs/ca-certificates.crt
if [ -f "$system_ca" ]; then
    : "${NODE_EXTRA_CA_CERTS:=$system_ca}" "${PIP_CERT:=$system_ca}"
    export NODE_EXTRA_CA_CERTS PIP_CERT
fi
