# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# up.sh -- up, down, restart: everything of one instance, in the order in which it depends on each other.

help_up() {
    cat <<TEXT
usage: ./cellwarden up [OPTIONS]

Installs what is missing, builds, makes keys on the first start, then starts database, broker, server and the packs with
their DTUs, waits for each, and prints the console's address and a login. A second time it starts only what does not run.

  --var DIR            where the instance lives ($VAR_HINT)
  --console-port PORT  console and API (CELLWARDEN_CONSOLE_PORT, default 8080 or the next free; auto = any)
  --broker-port PORT   MQTT over TLS (CELLWARDEN_BROKER_PORT, default 8883 or the next free; auto = any)
  --service-port PORT  the same for servers (CELLWARDEN_SERVICE_PORT, default 8884 or the next free; auto = any)
  --bind ADDRESS       where all listen (CELLWARDEN_BIND, default 127.0.0.1)
  --packs FILE|none    the packs to start (CELLWARDEN_PACKS, default deploy/demo.packs)
  --preset PRESET      which build (CELLWARDEN_PRESET, default release)
  --no-build           take what was built before
TEXT
}

help_down() {
    cat <<TEXT
usage: ./cellwarden down [--var DIR] [--purge]

Stops every process of the instance ($VAR_HINT). --purge then removes it: database, keys, journals, logs.
TEXT
}

help_restart() {
    cat <<TEXT
usage: ./cellwarden restart NAME [--var DIR]

Stops one process cleanly and starts it again (./cellwarden status lists the names).
TEXT
}

VAR_HINT='CELLWARDEN_VAR, default ./var'

parse_up() {
    var=${CELLWARDEN_VAR:-}
    want_console_port=${CELLWARDEN_CONSOLE_PORT:-}
    want_broker_port=${CELLWARDEN_BROKER_PORT:-}
    want_service_port=${CELLWARDEN_SERVICE_PORT:-}
    want_bind=${CELLWARDEN_BIND:-}
    packs=${CELLWARDEN_PACKS:-}
    PRESET=${CELLWARDEN_PRESET:-release}
    build=yes
    while [ $# -gt 0 ]; do
        case $1 in
        --no-build) build=no; shift; continue ;;
        --var) var=$(value_of "$@") ;;
        --console-port) want_console_port=$(value_of "$@") ;;
        --broker-port) want_broker_port=$(value_of "$@") ;;
        --service-port) want_service_port=$(value_of "$@") ;;
        --bind) want_bind=$(value_of "$@") ;;
        --packs) packs=$(value_of "$@") ;;
        --preset) PRESET=$(value_of "$@") ;;
        *) usage_error "up has no option '$1' (./cellwarden up --help)" ;;
        esac
        [ $# -ge 2 ] || usage_error "$1 needs a value"
        shift 2
    done
    [ -n "$packs" ] || packs=$ROOT/deploy/demo.packs
    [ "$packs" = none ] || [ -r "$packs" ] || usage_error "there is no list of packs in '$packs'"
    for port in "$want_console_port" "$want_broker_port" "$want_service_port"; do
        case $port in '' | auto) ;; *) is_port "$port" || usage_error "'$port' is not a port (1 to 65535, or auto)" ;; esac
    done
    use_instance "$var"
}

cmd_up() {
    parse_up "$@"
    if [ $build = yes ]; then
        need_packages run
        # shellcheck disable=SC2086
        build_preset "$PRESET" $PROGRAMS
        build_extension
        build_web
    fi
    for program in cellwarden-pack cellwarden-dtu cellwarden-server cellwarden-writeback; do need_program $program; done
    lock_instance
    make_instance
    read_facts
    set_fact preset "$PRESET"
    set_fact bin "$BUILD/$PRESET/bin"

    start_database
    start_process writeback TERM "$BUILD/$PRESET/bin/cellwarden-writeback" --data "$data"
    say "database    ready ($(elapsed) s)"
    make_keys
    start_broker
    say "broker      ready on ports $broker_port and $service_port ($(elapsed) s)"
    start_server
    say "server      ready on port $console_port ($(elapsed) s)"
    create_extension
    [ "$packs" = none ] || start_packs
    announce
}

read_facts() {
    choose_port console_port "$want_console_port" 8080
    console_port=$chosen
    choose_port broker_port "$want_broker_port" 8883
    broker_port=$chosen
    choose_port service_port "$want_service_port" 8884
    service_port=$chosen
    bind=${want_bind:-$(fact bind)}
    bind=${bind:-127.0.0.1}
    set_fact bind "$bind"
    reach=$bind
    [ "$bind" != 0.0.0.0 ] || reach=127.0.0.1
    set_fact reach "$reach"
    set_fact conninfo "$conninfo"
}

start_server() {
    start_process server TERM "$BUILD/$PRESET/bin/cellwarden-server" --listen "$bind:$console_port" --database "$conninfo" \
        --broker "$reach:$service_port" --server-name localhost \
        --ca "$VAR/pki/ca.crt" --cert "$VAR/pki/server.crt" --key "$VAR/pki/server.key" \
        --migrations "$ROOT/deploy/sql" --web "$ROOT/server/web/dist" \
        --catalogue "$BUILD/$PRESET/proto/catalogue.json" --admin-password-file "$VAR/admin.password"
    wait_for 60 server_answers || die "the server is not ready after 60 s: see $VAR/log/server.log"
}

server_answers() { curl -sf -m 2 -o /dev/null "http://$reach:$console_port/readyz"; }

# Each line of the list: name, cells, chemistry, scenario, stream, then more options for cellwarden-pack.
start_packs() {
    started_packs=
    while read -r name cells chemistry scenario stream more; do
        case $name in '' | \#*) continue ;; esac
        start_pack
        started_packs="$started_packs $pack"
    done <"$packs"
    say "packs       started:$started_packs ($(elapsed) s)"
    count=$(echo "$started_packs" | wc -w)
    sign_in
    wait_for 90 vehicles_online "$count" ||
        die "not all of the $count vehicles are online after 90 s: see ./cellwarden status and $VAR/log/"
    say "vehicles    $count online ($(elapsed) s)"
}

start_pack() {
    pack=$name
    home=$VAR/packs/$pack
    hub=$socket_dir/$pack.hub
    mkdir -p "$home"
    "$ROOT/deploy/pki.sh" --dir "$VAR/pki" device "$pack" || die "the list of packs names a device that cannot be"
    # shellcheck disable=SC2086 # $more is a list of words
    start_process "pack:$pack" TERM "$BUILD/$PRESET/bin/cellwarden-pack" --name "$pack" --cells "$cells" \
        --chemistry "$chemistry" --scenario "$scenario" --hub "$hub" --nvm "$home/nvm" ${more:-}
    wait_for 15 test -S "$hub" || die "pack $pack does not open its CAN: see $VAR/log/pack:$pack.log"
    start_process "dtu:$pack" TERM "$BUILD/$PRESET/bin/cellwarden-dtu" --name "$pack" --hub "$hub" \
        --journal "$home/journal" --broker "$reach:$broker_port" --server-name localhost \
        --ca "$VAR/pki/ca.crt" --cert "$VAR/pki/$pack.crt" --key "$VAR/pki/$pack.key" --stream "$stream"
}

# A session of the administrator for the questions that `up` and `status` have; the cookie stays in VAR.
sign_in() {
    (umask 077 && printf '{"user":"admin","password":"%s"}' "$(cat "$VAR/admin.password")" |
        curl -sf -m 10 -o /dev/null -c "$VAR/run/cookies" -H 'Content-Type: application/json' -d @- \
            "http://$reach:$console_port/api/v1/session") || die "the server does not accept the password in $VAR/admin.password"
}

vehicles_online() {
    online=$(curl -sf -m 5 -b "$VAR/run/cookies" "http://$reach:$console_port/api/v1/fleet/rows?limit=200" |
        tr -d ' \n' | grep -o '"online":true' | wc -l)
    [ "$online" -ge "$1" ]
}

announce() {
    cat <<TEXT

  Console   http://$reach:$console_port/
  Sign in   admin / $(cat "$VAR/admin.password")

  ./cellwarden status    what runs
  ./cellwarden logs -f   what it says
  ./cellwarden down      stop

cellwarden: up after $(elapsed) s
TEXT
}

cmd_down() {
    var=${CELLWARDEN_VAR:-}
    purge=no
    while [ $# -gt 0 ]; do
        case $1 in
        --purge) purge=yes; shift ;;
        --var) var=$(value_of "$@"); shift 2 ;;
        *) usage_error "down has no option '$1' (./cellwarden down --help)" ;;
        esac
    done
    use_instance "$var"
    if ! instance_exists; then
        say "nothing to stop: there is no instance in $VAR"
        return 0
    fi
    lock_instance
    stop_everything
    [ $purge = no ] || purge_instance
    say "down after $(elapsed) s"
}

# DTUs first, so that their last word reaches the broker; then the packs; then what they talk to.
stop_everything() {
    # shellcheck disable=SC2046 # names have no spaces
    {
        stop_processes $(process_names | grep '^dtu:')
        stop_processes $(process_names | grep '^pack:')
        stop_processes server
        stop_processes broker
        stop_processes writeback database
    }
    rm -f "$VAR/run/order" "$VAR/run/cookies"
}

purge_instance() {
    for folder in "$(fact database_dir)" "$(fact broker_dir)" "$(fact socket_dir)"; do
        case $folder in
        "$VAR"/* | /var/tmp/cellwarden.?????? | /tmp/cellwarden.??????) rm -rf "$folder" ;;
        esac
    done
    rm -rf "$VAR/run" "$VAR/log" "$VAR/pki" "$VAR/packs" "$VAR/database" "$VAR/broker"
    rm -f "$VAR/instance" "$VAR/admin.password" "$VAR/mosquitto.conf" "$VAR/mosquitto.acl" "$VAR/.lock"
    rmdir "$VAR" 2>/dev/null || note "$VAR holds other files and stays"
}

cmd_restart() {
    var=${CELLWARDEN_VAR:-}
    name=
    while [ $# -gt 0 ]; do
        case $1 in
        --var) var=$(value_of "$@"); shift 2 ;;
        -*) usage_error "restart has no option '$1' (./cellwarden restart --help)" ;;
        *) name=$1; shift ;;
        esac
    done
    [ -n "$name" ] || usage_error "restart needs a name (./cellwarden status lists them)"
    use_instance "$var"
    instance_exists || die "there is no instance in $VAR"
    supervisor_pid "$name" >/dev/null || die "there is no running process '$name' in $VAR (./cellwarden status)"
    old=$(child_pid "$name" || true)
    signal=TERM
    [ "$name" != database ] || signal=INT
    if [ -n "$old" ]; then
        kill -s $signal "$old" 2>/dev/null || true
        wait_for 20 is_gone "$old" || kill -s KILL "$old" 2>/dev/null || true
    fi
    wait_for 20 child_pid "$name" >/dev/null || die "$name did not come back: see $VAR/log/$name.log"
    say "$name restarted"
}
