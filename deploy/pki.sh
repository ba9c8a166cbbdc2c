#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pki.sh -- keys and certificates of one installation: EC P-256, one certificate for each party, two CAs.
#
# ca signs the broker and the devices; service-ca signs the server. The broker takes each of them on a port of its own, so no
# device, whatever it calls itself, reaches the port on which servers choose their own MQTT client ids.
#
# The CN is the identity: the broker takes the user name from it and its rules follow. So only pki.sh decides who is
# called what: a device must be <tenant>.<vehicle>, and only `server` may be called cellwarden-server.
# Keys are 0600 and never leave the folder. Files: ca.key ca.crt, NAME.key NAME.crt, with NAME broker, server or a device.
set -eu
umask 077

usage() {
    cat <<TEXT
usage: pki.sh [--dir DIR] [--days N | --expired] COMMAND

  init                CAs, broker and server certificates, those that are missing
  broker [HOST...]    the broker's certificate again, for localhost, this host and HOST...
  device NAME...      one certificate for each device (<tenant>.<vehicle>), those that are missing
  show                who has a certificate, and until when

  --dir DIR           where the files are (default \$CELLWARDEN_PKI or var/pki); another DIR is another CA
  --days N            validity of what is made now (default 825; the CAs: 3650)
  --expired           make a certificate that ended yesterday, for tests
TEXT
}

fail() { echo "pki.sh: $*" >&2; exit 1; }
wrong() { echo "pki.sh: $*" >&2; exit 2; }

dir=${CELLWARDEN_PKI:-var/pki}
days=825

subject_of() { openssl x509 -in "$1" -noout -subject -nameopt RFC2253 | sed 's/^subject=CN=//'; }

# make_ca FILE NAME
make_ca() {
    [ ! -f "$1.crt" ] || return 0
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    # The serial in the name keeps two CAs of two folders apart in error messages.
    openssl req -new -x509 -sha256 -key "$1.key" -days 3650 -subj "/CN=$2 $(openssl rand -hex 4)" \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$1.crt.new"
    mv "$1.crt.new" "$1.crt"
}

# issue CA FILE CN EXTENSIONS: key and certificate, whole or not at all.
issue() {
    ca=$1
    shift
    [ -f "$ca.key" ] || fail "there is no $ca.key in $dir: run pki.sh --dir $dir init"
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key.new"
    printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' 'subjectKeyIdentifier=hash' \
        'authorityKeyIdentifier=keyid' "$3" >"$1.ext"
    openssl req -new -sha256 -key "$1.key.new" -subj "/CN=$2" -out "$1.csr"
    openssl x509 -req -sha256 -in "$1.csr" -CA "$ca.crt" -CAkey "$ca.key" -set_serial "0x$(openssl rand -hex 15)" \
        -days "$days" -extfile "$1.ext" -out "$1.crt.new" 2>"$1.err" || fail "openssl: $(cat "$1.err")"
    rm -f "$1.csr" "$1.ext" "$1.err"
    mv "$1.key.new" "$1.key"
    mv "$1.crt.new" "$1.crt"
}

make_broker() {
    names=DNS:localhost,IP:127.0.0.1
    for host in "$(uname -n)" "$@"; do
        case $host in
        '' | localhost | *[!A-Za-z0-9.-]*) ;;
        *) names=$names,DNS:$host ;;
        esac
    done
    issue ca broker localhost "extendedKeyUsage=serverAuth
subjectAltName=$names"
}

make_device() {
    case $1 in
    *[!A-Za-z0-9._-]* | *.*.* | .* | *.) wrong "'$1' is not <tenant>.<vehicle>: letters, digits, - and _, one dot" ;;
    *.*) ;;
    *) wrong "'$1' is not <tenant>.<vehicle>: it needs one dot" ;;
    esac
    [ ${#1} -le 63 ] || wrong "'$1' is longer than 63 characters"
    [ -f "$1.crt" ] || issue ca "$1" "$1" extendedKeyUsage=clientAuth
}

while [ $# -gt 0 ]; do
    case $1 in
    --dir) [ $# -ge 2 ] || wrong "--dir needs a value"; dir=$2; shift 2 ;;
    --days)
        [ $# -ge 2 ] || wrong "--days needs a value"
        case $2 in '' | *[!0-9]* | 0 | ?????*) wrong "--days must be 1 to 9999" ;; esac
        days=$2
        shift 2
        ;;
    --expired) days=-1; shift ;;
    -h | --help) usage; exit 0 ;;
    --*) wrong "there is no option $1" ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || { usage >&2; exit 2; }
command=$1
shift
mkdir -p "$dir"
cd "$dir"

case $command in
init)
    make_ca ca 'Cellwarden CA'
    make_ca service-ca 'Cellwarden service CA'
    [ -f broker.crt ] || make_broker
    [ -f server.crt ] || issue service-ca server cellwarden-server extendedKeyUsage=clientAuth
    ;;
broker) make_broker "$@" ;;
device)
    [ $# -gt 0 ] || wrong "device needs a name"
    for device in "$@"; do make_device "$device"; done
    ;;
show)
    for certificate in *.crt; do
        [ -f "$certificate" ] || continue
        printf '%-24s %s\n' "$(subject_of "$certificate")" "$(openssl x509 -in "$certificate" -noout -enddate)"
    done
    ;;
*) wrong "there is no command '$command' (pki.sh --help lists them)" ;;
esac
