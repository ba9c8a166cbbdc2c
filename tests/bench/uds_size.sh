# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# uds_size.sh [--json] -- flash that ISO-TP and UDS take: code and constants of their objects at -Os for this machine, the tables of parameters and
# alarms and the packed catalogue named apart (they are there for other modules too).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${CELLWARDEN_BUILD:-$root/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# flash_of FILE...: text of the objects, which is code and constants
flash_of() {
    total=0
    for source in "$@"; do
        ${CC:-cc} -std=c11 -Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -DCW_VERSION='"x"' -I"$root" -I"$build/host" -c "$source" -o "$work/o.o"
        total=$((total + $(size "$work/o.o" | awk 'NR == 2 { print $1 }')))
    done
    echo $total
}

cd "$root"
isotp=$(flash_of common/isotp.c)
uds=$(flash_of firmware/core/talk/uds.c firmware/core/talk/uds_*.c firmware/core/talk/program.c)
rs485=$(flash_of firmware/core/talk/rs485.c firmware/core/talk/modbus.c firmware/core/talk/modbus_input.c)
newest=$(find "$build" -name catalogue_packed.c -printf '%T@ %p\n' | sort -rn | sed -n '1s/[^ ]* //p')
catalogue=$(sed -n 's/.*plain_size = \([0-9]*\).*/\1/p' "$newest" | head -n 1)
packed=$(tr -cd , <"$newest" | wc -c)
if [ "${1:-}" = --json ]; then
    echo "{\"isotp_B\":$isotp,\"uds_B\":$uds,\"isotp_uds_B\":$((isotp + uds)),\"rs485_modbus_B\":$rs485,\"catalogue_packed_B\":$packed,\"catalogue_plain_B\":$catalogue}"
else
    echo "ISO-TP $isotp B, UDS $uds B, together $((isotp + uds)) B of flash; RS485 with Modbus $rs485 B; catalogue $packed B packed, $catalogue B plain"
fi
