# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# vehicle.sh -- a whole vehicle out of an instance's database into a file, and in again.

help_vehicle() {
    cat <<TEXT
usage: ./cellwarden vehicle export DEVICE FILE [--var DIR]
       ./cellwarden vehicle import FILE [--var DIR]

export: everything that the database of the instance that is up ($VAR_HINT) knows of DEVICE (<tenant>.<vehicle>): records, newest
state, alarms, operations that are over, parameters, audit, hours, lost and refused records. FILE is whole or not there.
import: into this instance; all of it or, from a damaged file, nothing. What is there already stays, so it may be done twice.
The file is described in docs/vehicle-file.md. Prints one JSON object with the rows of each table.
TEXT
}

cmd_vehicle() {
    verb=${1:-}
    case $verb in export | import) shift ;; *) usage_error "vehicle export or vehicle import (./cellwarden vehicle --help)" ;; esac
    words=0
    var=${CELLWARDEN_VAR:-}
    while [ $# -gt 0 ]; do
        case $1 in
        --var) var=$(value_of "$@"); shift 2 ;;
        -*) usage_error "vehicle has no option '$1' (./cellwarden vehicle --help)" ;;
        *) words=$((words + 1)); eval "word_$words=\$1"; shift ;;
        esac
    done
    # shellcheck disable=SC2154 # set by eval above
    case $verb.$words in
    export.2) set -- export --device "$word_1" "$word_2" ;;
    import.1) set -- import "$word_1" ;;
    *) usage_error "vehicle $verb takes other arguments (./cellwarden vehicle --help)" ;;
    esac
    use_instance "$var"
    instance_exists || die "there is no instance in $VAR (./cellwarden up)"
    exec "$(fact bin)/cellwarden-vehicle" "$@" --database "$(fact conninfo)"
}
