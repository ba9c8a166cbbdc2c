# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# install.sh -- the Debian packages that each activity needs, and their installation when missing.
#
# Asking dpkg costs some 30 ms; apt is called only when something is missing. Debian's own PostgreSQL cluster is not
# created, and neither it nor Debian's broker is ever used: an instance runs its own.

packages_run='build-essential cmake ninja-build pkg-config dpkg-dev ca-certificates curl openssl xz-utils git
    libmicrohttpd-dev libpaho-mqtt-dev libssl-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler
    libpq-dev postgresql postgresql-client mosquitto libslirp-dev libmbedtls-dev libjansson-dev libsodium-dev zlib1g-dev libmodbus-dev'
packages_test='libcunit1-dev python3 python3-venv chromium mosquitto-clients socat valgrind tshark mbpoll pgbouncer'
packages_sql='postgresql-server-dev-15'
packages_lint='clang-tidy clang-format cppcheck shellcheck python3'
packages_fuzz='clang libclang-rt-14-dev'
packages_fresh='debootstrap'
packages_arm='gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm'

help_install() {
    cat <<TEXT
usage: ./cellwarden install [run|test|sql|lint|fuzz|fresh|arm ...]

Installs the Debian packages of these groups that are missing (default: run). Needs root or sudo only then.
sql is optional: with it "up" builds the PostgreSQL extension (docs/sql.md).
TEXT
}

cmd_install() {
    [ $# -gt 0 ] || set -- run
    for group in "$@"; do
        case $group in
        run | test | sql | lint | fuzz | fresh | arm) ;;
        *) usage_error "there is no package group '$group' (run, test, sql, lint, fuzz, fresh, arm)" ;;
        esac
    done
    need_packages "$@"
    say "everything for: $* is installed"
}

# Node 18 or newer with npm, from wherever it came: then Debian's are not wanted beside it.
node_is_good() {
    has npm && has node || return 1
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    is_number "${version%%.*}" && [ "${version%%.*}" -ge 18 ]
}

group_packages() {
    case $1 in
    run)
        echo "$packages_run"
        node_is_good || echo nodejs npm
        ;;
    test) echo "$packages_test" ;;
    sql) echo "$packages_sql" ;;
    lint) echo "$packages_lint" ;;
    fuzz) echo "$packages_fuzz" ;;
    fresh) echo "$packages_fresh" ;;
    arm) echo "$packages_arm" ;;
    esac
}

# Of the packages given, those that are not installed, on one line.
missing_packages() {
    have=" $(dpkg-query -W -f '${db:Status-Status}=${Package} ' "$@" 2>/dev/null || true)"
    for package in "$@"; do
        case $have in
        *" installed=$package "*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# apt as root; through sudo for everybody else.
as_root() {
    if is_root; then
        "$@"
    elif has sudo; then
        sudo -- "$@"
    else
        die "these packages must be installed first, and neither root nor sudo is at hand: $missing"
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
        -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold "$@"
}

apt_install() {
    # shellcheck disable=SC2086 # a list of words
    apt_get install --no-install-recommends -y $1
}

# Debian makes and starts a cluster of its own when its server package arrives. Nobody here needs it: say no for the length of
# this one installation, in the only file that the package reads.
install_postgresql() {
    conf=/etc/postgresql-common/createcluster.conf
    apt_install postgresql-common
    as_root pg_conftool "$conf" set create_main_cluster false
    apt_install postgresql
    as_root pg_conftool "$conf" remove create_main_cluster
}

# need_packages GROUP..: install what is missing of these groups, or explain.
need_packages() {
    has dpkg-query || die "this is made for Debian 12: there is no dpkg here"
    wanted=
    for group in "$@"; do
        wanted="$wanted $(group_packages "$group")"
    done
    # shellcheck disable=SC2086
    missing=$(missing_packages $wanted)
    [ -n "$missing" ] || return 0
    [ "${CELLWARDEN_INSTALL:-yes}" != no ] || die "not installed, and CELLWARDEN_INSTALL=no: $missing"

    say "installing Debian packages: $missing"
    install_log=$BUILD/install.log
    mkdir -p "$BUILD"
    {
        apt_get update &&
            case " $missing " in
            *" postgresql "*) install_postgresql ;;
            esac &&
            apt_install "$missing"
    } >"$install_log" 2>&1 </dev/null || {
        tail -n 20 "$install_log" >&2
        die "apt could not install them; all of its output is in $install_log"
    }
    say "packages installed ($(elapsed) s)"
}
