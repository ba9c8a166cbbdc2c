# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# look.sh -- status and logs: work when half of it is dead.

help_status() {
    cat <<TEXT
usage: ./cellwarden status [--var DIR]

One line for each process. Exit 0 when all of them run, 1 when one does not or nothing was started.
TEXT
}

help_logs() {
    cat <<TEXT
usage: ./cellwarden logs [NAME] [-f] [-n LINES] [--var DIR]

The last lines of one log, or of all; -f follows. Names: server, broker, database, pack:<name>, dtu:<name>.
TEXT
}

cmd_status() {
    var=${CELLWARDEN_VAR:-}
    while [ $# -gt 0 ]; do
        case $1 in
        --var) var=$(value_of "$@"); shift 2 ;;
        *) usage_error "status has no option '$1' (./cellwarden status --help)" ;;
        esac
    done
    use_instance "$var"
    if [ -z "$(process_names)" ]; then
        say "nothing was started in $VAR (./cellwarden up)"
        return 1
    fi
    printf '%-22s %-9s %8s %10s %9s  %s\n' NAME STATE PID UPTIME RESTARTS WHERE
    dead=0
    for name in $(process_names); do
        status_line "$name"
    done
    [ $dead = 0 ]
}

status_line() {
    restarts=$(cat "$VAR/run/$1.count" 2>/dev/null || echo -)
    if running=$(child_pid "$1"); then
        state=running
        supervisor_pid "$1" >/dev/null || state=orphan
        age=$(human_time "$(uptime_s "$running")")
    else
        state=dead
        running=-
        age=-
        ! supervisor_pid "$1" >/dev/null || state=starting
    fi
    [ $state = running ] || dead=1
    printf '%-22s %-9s %8s %10s %9s  %s\n' "$1" "$state" "$running" "$age" "$restarts" "$(place_of "$1")"
}

place_of() {
    case $1 in
    server) echo "http://$(fact reach):$(fact console_port)/" ;;
    broker) echo "$(fact reach):$(fact broker_port) devices, :$(fact service_port) servers (TLS)" ;;
    database) echo "$(fact database_dir)/socket" ;;
    pack:*) echo "$(fact socket_dir)/${1#pack:}.hub" ;;
    dtu:*) echo "$VAR/packs/${1#dtu:}/journal" ;;
    esac
}

human_time() {
    if [ "$1" -lt 120 ]; then
        echo "$1 s"
    elif [ "$1" -lt 7200 ]; then
        echo "$(($1 / 60)) min"
    else
        echo "$(($1 / 3600)) h"
    fi
}

cmd_logs() {
    var=${CELLWARDEN_VAR:-}
    name=
    follow=
    lines=40
    while [ $# -gt 0 ]; do
        case $1 in
        -f) follow=-F; shift ;;
        -n) lines=$(value_of "$@"); is_number "$lines" || usage_error "-n needs a number"; shift 2 ;;
        --var) var=$(value_of "$@"); shift 2 ;;
        -*) usage_error "logs has no option '$1' (./cellwarden logs --help)" ;;
        *) name=$1; shift ;;
        esac
    done
    use_instance "$var"
    [ -d "$VAR/log" ] || die "there are no logs in $VAR"
    if [ -n "$name" ]; then
        [ -f "$VAR/log/$name.log" ] || die "there is no log of '$name'; there are: $(log_names)"
        set -- "$VAR/log/$name.log"
    else
        set -- "$VAR"/log/*.log
    fi
    # shellcheck disable=SC2086
    exec tail -n "$lines" $follow "$@"
}

log_names() { (cd "$VAR/log" && for file in *.log; do printf '%s ' "${file%.log}"; done); }
