# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# instance.sh -- one installation under $VAR: its facts, its keys, its database, its broker.
#
#   VAR/instance     the facts, KEY=value: ports, folders, preset       VAR/run   pid files and sockets
#   VAR/pki          keys and certificates                              VAR/log   one file for each process, and what it was before
#   VAR/database     the PostgreSQL cluster (or elsewhere, see choose_database_dir)
#   VAR/broker       what the broker reads, its own copies of keys included (or elsewhere, see choose_broker_dir)
#   VAR/packs/NAME   a board's memory and a DTU's flash journal         VAR/admin.password

# Where a socket's path may be, it must fit sun_path (108) with its name.
SOCKET_DIR_MAX=60

# use_instance DIR: sets VAR; makes nothing.
use_instance() {
    case ${1:-} in
    '') VAR=$ROOT/var ;;
    /*) VAR=$1 ;;
    *) VAR=$PWD/$1 ;;
    esac
}

instance_exists() { [ -f "$VAR/instance" ]; }

# The value of one fact, nothing when it is unknown.
fact() { sed -n "s/^$1=//p" "$VAR/instance" 2>/dev/null | tail -n 1; }

set_fact() {
    { grep -v "^$1=" "$VAR/instance" 2>/dev/null || true; echo "$1=$2"; } >"$VAR/instance.new"
    mv "$VAR/instance.new" "$VAR/instance"
}

make_instance() {
    mkdir -p "$VAR" "$VAR/run" "$VAR/log" "$VAR/packs"
    chmod 711 "$VAR"
    chmod 700 "$VAR/log" "$VAR/packs"
    [ -f "$VAR/instance" ] || : >"$VAR/instance"
    [ -s "$VAR/admin.password" ] || (umask 077 && openssl rand -base64 12 | tr '+/' '-_' >"$VAR/admin.password")
    choose_database_dir
    choose_socket_dir
}

lock_instance() {
    mkdir -p "$VAR"
    exec 9>"$VAR/.lock"
    flock -w 300 9 || die "another ./cellwarden works on $VAR and does not come to an end"
}

# unprivileged_user NAME: who a service runs as. As root not root: its own user where the machine has it.
unprivileged_user() {
    if ! is_root; then
        id -un
    elif id "$1" >/dev/null 2>&1; then
        echo "$1"
    else
        echo nobody
    fi
}

# PostgreSQL refuses to run as root.
database_user() { unprivileged_user postgres; }

as_database_user() {
    if is_root; then
        owner=$(database_user)
        setpriv --reuid="$owner" --regid="$(id -g "$owner")" --init-groups -- "$@"
    else
        "$@"
    fi
}

# The cluster lies in VAR, except where its user cannot go (a checkout under /root) or the socket's path would be too long.
choose_database_dir() {
    database_dir=$(fact database_dir)
    if [ -z "$database_dir" ]; then
        database_dir=$VAR/database
        if [ ${#VAR} -gt $SOCKET_DIR_MAX ] || ! (cd / && as_database_user test -x "$VAR"); then
            database_dir=$(mktemp -d /var/tmp/cellwarden.XXXXXX)
            say "the database is in $database_dir ($VAR is out of reach for user $(database_user), or its path is too long)"
        fi
        set_fact database_dir "$database_dir"
    fi
    mkdir -p "$database_dir"
    ! is_root || chown "$(database_user)" "$database_dir"
    chmod 700 "$database_dir"
    conninfo="host=$database_dir/socket dbname=cellwarden user=cellwarden"
}

# Where the packs listen for their DTU.
choose_socket_dir() {
    socket_dir=$(fact socket_dir)
    if [ -z "$socket_dir" ]; then
        socket_dir=$VAR/run
        [ ${#VAR} -le $SOCKET_DIR_MAX ] || socket_dir=$(mktemp -d /tmp/cellwarden.XXXXXX)
        set_fact socket_dir "$socket_dir"
    fi
    mkdir -p "$socket_dir"
}

# choose_port KEY WANTED DEFAULT: sets $chosen. A wanted port must be free; the default gives way to the next free one. A port
# that this instance had keeps its place.
choose_port() {
    had=$(fact "$1")
    if [ "$2" = auto ]; then
        chosen=${had:-$(random_port)}
    elif [ -n "$2" ]; then
        [ "$2" = "$had" ] || ! port_busy "$2" || die "port $2 is busy (for $1)"
        chosen=$2
    elif [ -n "$had" ]; then
        chosen=$had
    else
        chosen=$(free_port "$3")
        [ "$chosen" = "$3" ] || say "port $3 is busy: taking $chosen"
    fi
    set_fact "$1" "$chosen"
}

postgres_bin() {
    for bin in "${CELLWARDEN_PG_BIN:-}" /usr/lib/postgresql/*/bin; do
        [ ! -x "$bin/postgres" ] || found_bin=$bin
    done
    [ -n "${found_bin:-}" ] || die "PostgreSQL is not installed"
    echo "$found_bin"
}

start_database() {
    pg=$(postgres_bin)
    data=$database_dir/data
    if [ ! -f "$data/cellwarden.ready" ]; then
        rm -rf "$data"
        run_quietly "$VAR/log/initdb.log" "making a database cluster" make_cluster
    fi
    start_process database INT "$(command -v sh)" "$ROOT/deploy/lib/as_user.sh" "$(database_user)" \
        "$(postgres_home "$pg")/postgres" -D "$data"
    wait_for 60 database_answers || die "the database does not answer: see $VAR/log/database.log"
    database_exists || (cd / && as_database_user "$pg/createdb" -h "$database_dir/socket" -U cellwarden cellwarden)
}

# An eighth of the machine's memory, or of the container's where that has a limit, for server and broker live on it too; with less than what is written
# between two checkpoints each transaction waits for pages to be written. Between 128 MB, which is what PostgreSQL takes by itself, and 2 GB.
shared_buffers_MB() {
    cat /proc/meminfo /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null |
        awk '/^MemTotal:/ { kB = $2 } /^[0-9]+$/ && $1 / 1024 < kB { kB = $1 / 1024 }
             END { mb = int(kB / 8192); print (mb < 128 ? 128 : mb > 2048 ? 2048 : mb) }'
}

# Log segments are kept to be written again (min_wal_size): a new one is filled with zeros first, and for 60 ms nobody commits.
# Keys are compared as bytes (collation C), which is what device names need and costs the database 4 % less than C.UTF-8.
# Peer authentication: only the kernel says who is at the other end, and only this user and the cluster's own may be cellwarden.
make_cluster() {
    cd /
    as_database_user "$pg/initdb" -D "$data" -U cellwarden -A peer -E UTF8 --locale=C.UTF-8 --lc-collate=C || return 1
    as_database_user mkdir -p "$database_dir/socket"
    as_database_user tee -a "$data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$database_dir/socket'
unix_socket_permissions = 0777
max_connections = 60
shared_buffers = $(shared_buffers_MB)MB
max_wal_size = 4GB
min_wal_size = 1GB
checkpoint_timeout = 10min
wal_compression = on
timezone = 'UTC'
log_timezone = 'UTC'
CONF
    echo 'local all cellwarden peer map=cellwarden' | as_database_user tee "$data/pg_hba.conf"
    printf 'cellwarden %s cellwarden\n' "$(id -un)" "$(database_user)" | sort -u | as_database_user tee "$data/pg_ident.conf"
    as_database_user touch "$data/cellwarden.ready"
}

database_answers() { "$pg/pg_isready" -q -h "$database_dir/socket" -U cellwarden -d postgres; }

database_exists() {
    [ "$(psql -XAt "host=$database_dir/socket dbname=postgres user=cellwarden" \
        -c "select 1 from pg_database where datname = 'cellwarden'")" = 1 ]
}

# Like the database, the broker talks to strangers and has no need to be root.
broker_user() { unprivileged_user mosquitto; }

# In VAR, except where its user cannot go.
choose_broker_dir() {
    broker_dir=$(fact broker_dir)
    if [ -z "$broker_dir" ]; then
        broker_dir=$VAR/broker
        ! is_root || (cd / && setpriv --reuid="$(broker_user)" --clear-groups test -x "$VAR") || broker_dir=$(mktemp -d /var/tmp/cellwarden.XXXXXX)
        set_fact broker_dir "$broker_dir"
    fi
    mkdir -p "$broker_dir"
    chmod 700 "$broker_dir"
}

# All that the broker reads, for its user alone. VAR has links to what an administrator looks for or adds to.
fill_broker_dir() {
    for file in ca.crt service-ca.crt broker.crt broker.key; do
        (umask 077 && cat "$VAR/pki/$file" >"$broker_dir/$file")
    done
    sed -e "s|@USER@|$(broker_user)|" -e "s|@ACL@|$broker_dir/mosquitto.acl|" -e "s|@PORT@|$broker_port|" -e "s|@SERVICE_PORT@|$service_port|" \
        -e "s|@BIND@|$bind|" -e "s|@PKI@|$broker_dir|" -e "s|@CERT@|broker|" "$ROOT/deploy/mosquitto.conf.in" >"$broker_dir/mosquitto.conf"
    (umask 077 && cat "$ROOT/deploy/mosquitto.acl" >"$broker_dir/mosquitto.acl")
    ! is_root || chown -R "$(broker_user)" "$broker_dir"
    for file in mosquitto.conf mosquitto.acl; do
        ln -sf "$broker_dir/$file" "$VAR/$file"
    done
}

start_broker() {
    mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
    [ -x "$mosquitto" ] || die "mosquitto is not installed"
    choose_broker_dir
    fill_broker_dir
    start_process broker TERM "$(command -v sh)" "$ROOT/deploy/lib/as_user.sh" "$(broker_user)" "$mosquitto" -c "$broker_dir/mosquitto.conf"
    wait_for 15 broker_answers || die "the broker does not answer on port $service_port: see $VAR/log/broker.log"
}

# A whole TLS handshake with the server's own certificate.
broker_answers() {
    openssl s_client -connect "$reach:$service_port" -verify_return_error -verify_hostname localhost -CAfile "$VAR/pki/ca.crt" \
        -cert "$VAR/pki/server.crt" -key "$VAR/pki/server.key" </dev/null >/dev/null 2>&1
}

make_keys() {
    "$ROOT/deploy/pki.sh" --dir "$VAR/pki" init 2>"$VAR/log/pki.log" || die "keys could not be made: $(cat "$VAR/log/pki.log")"
}
