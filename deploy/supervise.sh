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
#
# The log, when it is a file, is looked at every CELLWARDEN_LOG_LOOK_S (10) seconds: over CELLWARDEN_LOG_MAX_kB (8000) it becomes FILE.1, in place of
# the one before, and begins anew. So a process has at most twice that, and what it says in one look's time, on the disk. The child goes on writing to
# the file that it opened (for appending), which therefore is copied and emptied: a line that comes within the millisecond between the two is lost.
set -u
STOP_MAX_S=15
LOG_MAX_kB=${CELLWARDEN_LOG_MAX_kB:-8000}
LOG_LOOK_S=${CELLWARDEN_LOG_LOOK_S:-10}

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

# The log begins anew. What was said during the long copy is copied behind it, so that hardly anything can come in between the last piece and the end.
turn_log() {
    cp "$1" "$1.new" || return 0
    copied=$(wc -c <"$1.new")
    tail -c "+$((copied + 1))" "$1" >>"$1.new" && : >"$1" && mv -f "$1.new" "$1.1"
}

# Runs beside the child, and ends with this process however that ends.
keep_log_small() {
    nap=
    trap '[ -z "$nap" ] || kill "$nap" 2>/dev/null; exit 0' TERM
    trap '' INT HUP
    log_file=$(readlink "/proc/$$/fd/2")
    while [ -f "$log_file" ] && [ -d "/proc/$$" ]; do
        sleep "$LOG_LOOK_S" &
        nap=$!
        wait $nap
        [ "$(wc -c <"$log_file")" -le $((LOG_MAX_kB * 1000)) ] || turn_log "$log_file"
    done
}

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
# Told once is enough: a second signal would end the wait for a child that ends just then, and with it what it said by its status.
on_stop() {
    trap '' TERM INT HUP
    stopping=1
    [ -z "$child" ] || kill -s "$stop_signal" "$child" 2>/dev/null
}
trap on_stop TERM INT HUP

echo "$$ $(born $$)" >"$run/$name.pid"
keep_log_small &
log_keeper=$!
count=0
pause=0.2
echo $count >"$run/$name.count"

while [ $stopping = 0 ]; do
    began=$(date +%s)
    (trap - TERM INT HUP && exec "$@") &
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
kill $log_keeper 2>/dev/null
rm -f "$run/$name.pid" "$run/$name.child" "$run/$name.count"
