# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# process.sh -- start, find and stop the supervised processes of one instance ($VAR).
#
# A process is named by (number, start time), so a number that the kernel gave to somebody else is never signalled.

STOP_WAIT_S=20

# When process $1 started, in clock ticks since boot; nothing when it is gone.
born() {
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [ "$1" = Z ] || echo "${20}"
}

# The number in pid file $1 when that very process still runs.
pid_in() {
    read -r pid since 2>/dev/null <"$1" || return 1
    is_number "$pid" && [ -n "$since" ] && [ "$(born "$pid")" = "$since" ] && echo "$pid"
}

supervisor_pid() { pid_in "$VAR/run/$1.pid"; }
child_pid() { pid_in "$VAR/run/$1.child"; }

# Seconds since process $1 started.
uptime_s() {
    read -r up _ </proc/uptime
    echo $((${up%.*} - $(born "$1") / $(getconf CLK_TCK)))
}

# Names of all processes that this instance knows, in the order of their start.
process_names() { cat "$VAR/run/order" 2>/dev/null || true; }

# start_process NAME STOP_SIGNAL COMMAND..: supervised, detached, output to log/NAME.log. Does nothing when it runs already
# from the program file that is on the disk now.
start_process() {
    name=$1
    signal=$2
    shift 2
    if supervisor_pid "$name" >/dev/null; then
        is_outdated "$name" || return 0
        say "$name runs an older build: starting it again"
        stop_process "$name"
    fi
    stop_orphan "$name"
    rm -f "$VAR/run/$name.pid" "$VAR/run/$name.child"
    grep -qx "$name" "$VAR/run/order" 2>/dev/null || echo "$name" >>"$VAR/run/order"
    setsid sh "$ROOT/deploy/supervise.sh" "$name" "$VAR/run" "$signal" "$@" \
        </dev/null >>"$VAR/log/$name.log" 2>&1 8>&- 9>&- &
    wait_for 5 supervisor_pid "$name" >/dev/null || die "$name could not be started: see $VAR/log/$name.log"
}

# The program file was replaced since this process started.
is_outdated() {
    running=$(child_pid "$1") || return 1
    case $(readlink "/proc/$running/exe") in *" (deleted)") return 0 ;; esac
    return 1
}

# A child whose supervisor was killed: nobody would start it again, so it goes.
stop_orphan() {
    orphan=$(child_pid "$1") || return 0
    kill -s TERM "$orphan" 2>/dev/null || true
    wait_for 10 is_gone "$orphan" || kill -s KILL "$orphan" 2>/dev/null || true
}

is_gone() { [ -z "$(born "$1")" ]; }

stop_process() {
    if supervisor=$(supervisor_pid "$1"); then
        kill -s TERM "$supervisor" 2>/dev/null || true
        wait_for $STOP_WAIT_S is_gone "$supervisor" || kill -s KILL "$supervisor" 2>/dev/null || true
    fi
    stop_orphan "$1"
    rm -f "$VAR/run/$1.pid" "$VAR/run/$1.child" "$VAR/run/$1.count"
}

# Stop several at once: all are told first, then waited for.
stop_processes() {
    for name in "$@"; do
        ! supervisor=$(supervisor_pid "$name") || kill -s TERM "$supervisor" 2>/dev/null || true
    done
    for name in "$@"; do
        stop_process "$name"
    done
}
