#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# third-party.sh -- fetch, check and unpack the sources of lwIP and mbedTLS for the embedded DTU stack.
#
#   deploy/third-party.sh DIR      DIR/lwip and DIR/mbedtls hold the patched sources afterwards
#
# They are Debian source packages from the archive that this machine already uses: the address comes from its own apt configuration, apt
# checks the signatures with its keyrings, and the versions and upstream tarballs are pinned here. Needs no root and changes nothing of the
# machine's apt state. A second run finds the result and does nothing.
set -eu

# name, Debian version, upstream tarball, its SHA-256
packages='
lwip 2.1.3+dfsg1-2 lwip_2.1.3+dfsg1.orig.tar.xz 0a8276d09fc4e97bbba2f953d74af2388fc2195ea156be9d7589e297a68fde24
mbedtls 2.28.3-1 mbedtls_2.28.3.orig.tar.gz 3b4953aa55a681e084d31892d9904cc5328d6b4958ea57b90ae4b4f94ae69a8d
'

die() {
    echo "third-party: $*" >&2
    exit 1
}

# Turn the machine's package lists into source lists, Debian's own suites only (no third-party repositories).
deb822_sources() {
    awk -v suites="$1" '
        function keep_suites(line,  n, i, part, out) {
            n = split(line, part, " ")
            for (i = 1; i <= n; i++)
                if (part[i] ~ suites)
                    out = out " " part[i]
            return out
        }
        function flush() {
            if (types ~ /deb/ && keep != "" && !off)
                printf "%sTypes: deb-src\nSuites:%s\n\n", rest, keep
            types = keep = rest = ""
            off = 0
        }
        FNR == 1 { flush() }
        /^#/ { next }
        /^[ \t]*$/ { flush(); next }
        /^[Tt]ypes:/ { types = $0; next }
        /^[Ss]uites:/ { sub(/^[^:]*:/, ""); keep = keep_suites($0); next }
        /^[Ee]nabled:[ \t]*no/ { off = 1; next }
        /^[Aa]rchitectures:/ { next }
        { rest = rest $0 "\n" }
        END { flush() }
    ' "$2"
}

one_line_sources() {
    awk -v suites="$1" '
        $1 == "deb" || $1 == "deb-src" {
            at = 2
            if ($2 ~ /^\[/)
                while ($at !~ /\]$/ && at < NF)
                    at++
            suite = $2 ~ /^\[/ ? $(at + 2) : $3
            if (suite !~ suites)
                next
            sub(/^[ \t]*deb(-src)?/, "deb-src")
            print
        }
    ' "$2"
}

write_sources() { # into directory $1
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
    suites="^($codename|stable)(-|/|\$)"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] && one_line_sources "$suites" "$file" >>"$1/from-machine.list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] && deb822_sources "$suites" "$file" >>"$1/from-machine.sources"
    done
    [ -s "$1/from-machine.list" ] || rm -f "$1/from-machine.list"
    [ -s "$1/from-machine.sources" ] || rm -f "$1/from-machine.sources"
    [ -n "$(ls -A "$1")" ] || die "this machine's apt configuration names no Debian suite ($codename)"
}

private_apt() { # apt-get with lists, cache and sources of our own
    apt-get -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" -o Dir::Etc::sourcelist=/dev/null \
        -o Dir::Etc::sourceparts="$state/sources" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o Acquire::Retries=2 \
        -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any -o Acquire::Languages=none -q "$@"
}

fetch() { # $1 = package, $2 = version
    [ -d "$state/lists" ] || {
        mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/sources"
        write_sources "$state/sources"
        private_apt update >"$state/update.log" 2>&1 || {
            tail -n 5 "$state/update.log" >&2
            die "cannot read the package archive of this machine (no network?); log: $state/update.log"
        }
    }
    (cd "$state" && private_apt source --download-only --only-source "$1=$2" >"$state/$1.log" 2>&1) || {
        tail -n 5 "$state/$1.log" >&2
        die "cannot fetch the source of $1 $2; log: $state/$1.log"
    }
}

unpack() { # $1 = package, $2 = version, $3 = tarball, $4 = SHA-256
    echo "$4  $state/$3" | sha256sum --check --status || die "$3 is not the pinned file (SHA-256 differs)"
    rm -rf "${state:?}/$1"
    (cd "$state" && dpkg-source --no-check -x "$1_$2.dsc" "$1" >"$state/$1-unpack.log" 2>&1) || {
        tail -n 5 "$state/$1-unpack.log" >&2
        die "cannot unpack $1 $2"
    }
    echo "$2 $4" >"$state/$1/.cellwarden"
    rm -rf "${dir:?}/$1"
    mv "$state/$1" "$dir/$1" # last step: a directory that exists is whole
}

[ $# -eq 1 ] || {
    echo "usage: third-party.sh DIR" >&2
    exit 2
}
mkdir -p "$1"
dir=$(cd "$1" && pwd)
exec 9>"$dir/.lock"
flock 9 # two builds of one tree share the cache
state=$dir/.apt
rm -rf "$state"
for need in apt-get dpkg-source awk sha256sum; do
    command -v "$need" >/dev/null || die "$need is not installed (package dpkg-dev or apt)"
done
echo "$packages" | while read -r name version tarball sha; do
    [ -n "$name" ] || continue
    [ "$(cat "$dir/$name/.cellwarden" 2>/dev/null)" = "$version $sha" ] && continue
    fetch "$name" "$version"
    unpack "$name" "$version" "$tarball" "$sha"
done
rm -rf "$state"
