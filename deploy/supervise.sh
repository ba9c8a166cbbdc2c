#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# supervise.sh -- keep one process alive until told to stop. Not an init: one child, no dependencies.
#
#   supervise.sh NAME RUN_DIR STOP_SIGNAL COMMAND [ARGUMENT..]
#
# RUN_DIR/NAME.pid    this process and when it started (/proc/PID/stat, field 22), so that a reused number is not taken for it
# RUN_DIR/NAME.child  the same for the child
# RUN_DIR/NAME.count  how often the child was started again
#
# SIGTERM: the child gets STOP_SIGNAL, after STOP_MAX_S seconds SIGKILL. A child that ends by itself is started again, at once
# when it had run for 10 s, else after a pause that doubles from 0.2 s to 5 s. Output goes to standard error, the log.
set -u
STOP_MAX_S=15

name=$1
run=$2
stop_signal=$3
shift 3

born() {
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    echo "${20}"
}

log() { printf '%s %s supervisor %s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2 name=$name" >&2; }

kill_when_late() {
    trap - TERM INT HUP
    left=$((STOP_MAX_S * 5))
    while kill -0 $child 2>/dev/null; do
        left=$((left - 1))
        if [ $left -le 0 ]; then
            kill -s KILL $child
            log warn "killed, it did not stop in $STOP_MAX_S s"
        fi
        sleep 0.2
    done
}

child=
stopping=0
on_stop() {
    stopping=1
    [ -z "$child" ] || kill -s "$stop_signal" "$child" 2>/dev/null
}
trap on_stop TERM INT HUP

echo "$$ $(born $$)" >"$run/$name.pid"
count=0
pause=0.2
echo $count >"$run/$name.count"

while [ $stopping = 0 ]; do
    began=$(date +%s)
    "$@" &
    child=$!
    echo "$child $(born $child)" >"$run/$name.child"
    [ $stopping = 0 ] || on_stop
    wait $child
    code=$?
    if [ $stopping = 1 ]; then
        kill_when_late &
        while kill -0 $child 2>/dev/null; do
            wait $child
            code=$?
        done
        log info "stopped exit=$code"
        break
    fi
    child=
    count=$((count + 1))
    echo $count >"$run/$name.count"
    [ $(($(date +%s) - began)) -lt 10 ] || pause=0.2
    log warn "ended, will be started again exit=$code pause_s=$pause"
    sleep $pause
    case $pause in 0.2) pause=0.4 ;; 0.4) pause=0.8 ;; 0.8) pause=1.6 ;; 1.6) pause=3.2 ;; *) pause=5 ;; esac
done
rm -f "$run/$name.pid" "$run/$name.child" "$run/$name.count"
