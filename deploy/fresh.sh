#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fresh.sh -- prove on a bare Debian 12 that nothing is needed beforehand: what is committed, in a debootstrap folder (minbase),
# `./cellwarden up`, look at it, `down`, `test`. Called as root by `./cellwarden test fresh`.
#
#   fresh.sh DIR [--keep] [--up-only]
#
# Inside there is nothing of this machine but the names of its package archive, its CA certificates and what it says about reaching
# registries (proxy and index settings; no file of a HOME, no credentials). Mounts and processes live in namespaces of
# their own and are gone when this ends, however it ends.
set -eu

here=$(dirname -- "$(readlink -f -- "$0")")
root=$(dirname -- "$here")
tree=/srv/cellwarden
suite=bookworm

fail() { echo "fresh: error: $*" >&2; exit 1; }
say() { echo "fresh: $*"; }

# Debian's own suites as this machine's apt has them, one "URI RELEASE COMPONENT" a line.
archives() {
    apt-get indextargets --format "\$(REPO_URI) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages' | sort -u |
        awk -v suite="$suite" '$2 == suite || $2 == suite "-updates" || $2 == suite "-security"'
}

# Settings that say how to reach registries; values with a credential in them are left out.
network_settings() {
    env | grep -iE '^(https?_proxy|no_proxy|PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|DEFAULT_TIMEOUT|RETRIES)|npm_config_registry)=' |
        grep -v '://[^/]*@' || true
    if command -v npm >/dev/null; then
        registry=$(npm config get registry 2>/dev/null || true)
        case $registry in http*@*) ;; http*) echo "npm_config_registry=$registry" ;; esac
    fi
}

make_system() {
    mirror=$(archives | awk -v suite="$suite" '$2 == suite { print $1; exit }')
    [ -n "$mirror" ] || fail "apt on this machine knows no archive of Debian $suite"
    debootstrap --variant=minbase "$suite" "$dir" "$mirror" >"$dir.log" 2>&1 || {
        tail -n 20 "$dir.log" >&2
        fail "debootstrap failed; all of its output is in $dir.log"
    }
    archives | sed 's/^/deb /' >"$dir/etc/apt/sources.list"
    apt-config dump Acquire | grep -iE '^Acquire::(https?|ftp|Check-|Retries|ForceIPv)' >"$dir/etc/apt/apt.conf.d/90network" || true
    printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
    chmod 755 "$dir/usr/sbin/policy-rc.d"
    cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
    uname -n | sed 's/^/127.0.0.1 localhost /' >"$dir/etc/hosts"
    mkdir -p "$dir/etc/network-settings"
    [ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$dir/etc/network-settings/ca.crt"
    network_settings >"$dir/etc/network-settings/env"
    git -c safe.directory='*' clone -q --no-hardlinks "file://$root" "$dir$tree"
}

# In the new mount namespace: what programs expect of a running system.
mount_system() {
    mount --make-rprivate /
    mount -t proc proc "$dir/proc"
    mount -t sysfs -o ro sysfs "$dir/sys" 2>/dev/null || true
    mount -t tmpfs -o mode=755 dev "$dir/dev"
    for node in null zero full random urandom tty; do
        : >"$dir/dev/$node"
        mount --bind "/dev/$node" "$dir/dev/$node"
    done
    mkdir "$dir/dev/pts" "$dir/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$dir/dev/pts"
    ln -s pts/ptmx "$dir/dev/ptmx"
    ln -s /proc/self/fd "$dir/dev/fd"
    mount -t tmpfs -o mode=1777 shm "$dir/dev/shm"
    mount -t tmpfs -o mode=755 run "$dir/run"
}

# inside COMMAND..: in the bare system, with an environment of its own.
inside() {
    # shellcheck disable=SC2046 # one setting a line, without spaces
    chroot "$dir" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb CI=true \
        $(cat "$dir/etc/network-settings/env") $(certificates) \
        /bin/sh -c "cd $tree && exec \"\$@\"" sh "$@" </dev/null
}

certificates() {
    [ -f "$dir/etc/network-settings/ca.crt" ] || return 0
    for name in PIP_CERT NODE_EXTRA_CA_CERTS npm_config_cafile SSL_CERT_FILE; do
        echo "$name=/etc/network-settings/ca.crt"
    done
}

# timed NAME COMMAND..: its duration goes into the last line.
timed() {
    what=$1
    shift
    began=$(date +%s)
    "$@"
    took=$(($(date +%s) - began))
    durations="$durations $what $took s,"
    say "$what took $took s"
}

# What a person would look at: the page is there, three vehicles are online and move.
look() {
    # shellcheck disable=SC2016 # expanded inside
    inside sh -eu -c '
        fact() { sed -n "s/^$1=//p" var/instance; }
        url=http://$(fact reach):$(fact console_port)
        curl -sf -m 10 "$url/" | grep -qi "<!doctype html" || { echo "the console gives no page"; exit 1; }
        curl -sf -m 10 -o /dev/null -c /tmp/jar -H "Content-Type: application/json" "$url/api/v1/session" \
            -d "{\"user\":\"admin\",\"password\":\"$(cat var/admin.password)\"}"
        rows() { curl -sf -m 10 -b /tmp/jar "$url/api/v1/fleet/rows" | tr -d " \n" | grep -o "\"measured_at\":[0-9]*" | sort -u; }
        rows >/tmp/before
        sleep 25
        rows >/tmp/after
        [ "$(wc -l </tmp/after)" -ge 3 ] || { echo "not three vehicles"; exit 1; }
        ! grep -qxFf /tmp/before /tmp/after || { echo "a vehicle stands still"; cat /tmp/before /tmp/after; exit 1; }
        ./cellwarden status'
}

run_inside() {
    mount_system
    durations=
    timed up inside ./cellwarden up
    look || fail "what is up does not work"
    timed 'second up' inside ./cellwarden up
    timed down inside ./cellwarden down
    [ "$up_only" = yes ] || timed test inside ./cellwarden test
    say "passed:${durations%,}"
}

[ $# -ge 1 ] || fail "which folder?"
dir=$1
shift
keep=no
up_only=no
stage=outside
for option in "$@"; do
    case $option in
    --keep) keep=yes ;;
    --up-only) up_only=yes ;;
    --inside) stage=inside ;;
    *) fail "there is no option $option" ;;
    esac
done
[ "$(id -u)" = 0 ] || fail "this needs root"

if [ $stage = inside ]; then
    run_inside
    exit 0
fi

[ ! -e "$dir" ] || [ -f "$dir/etc/network-settings/env" ] || fail "$dir exists and is not a folder of an earlier run"
rm -rf --one-file-system "$dir"
mkdir -p "$dir"
dir=$(readlink -f "$dir")
mkdir -p "$dir/etc/network-settings"
: >"$dir/etc/network-settings/env"
trap '[ $keep = yes ] || rm -rf --one-file-system "$dir"' EXIT
trap 'exit 1' INT TERM
began=$(date +%s)
say "making a bare Debian 12 in $dir"
make_system
say "debootstrap took $(($(date +%s) - began)) s"
options=
[ $up_only = no ] || options=--up-only
# shellcheck disable=SC2086
unshare --mount --pid --fork --kill-child sh "$here/fresh.sh" "$dir" --inside $options
