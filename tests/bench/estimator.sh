#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# estimator.sh -- what the estimation of 160 cells costs on a Cortex-M4F: instructions in 100 ms and in the worst step, RAM, and code size.
#
# Compiled by arm-none-eabi-gcc -O2 and run by qemu-system-arm, which counts instructions, not cycles: 100 MHz have 10,000,000 cycles in 100 ms.
# `share_of_100_ms_at_100_MHz` takes 1.5 cycles an instruction.
set -eu

root=${ROOT:?run it by ./cellwarden bench estimator}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags="-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -O2 -std=gnu11 -ffunction-sections -fdata-sections -I$root"
code=
for file in "$root"/firmware/core/estimation/*.c; do code="$code $file"; done
# shellcheck disable=SC2086 # lists of words
arm-none-eabi-gcc $flags -Wl,-T,"$root/tests/bench/arm/an386.ld" -nostartfiles --specs=rdimon.specs -Wl,--gc-sections -o "$out/estimator" \
    "$root/tests/bench/arm/start.c" "$root/tests/bench/arm/estimator.c" $code "$root/proto/tables.c" -lm 2>"$out/log" || { cat "$out/log" >&2; exit 1; }
line=$(timeout 120 qemu-system-arm -M mps2-an386 -nographic -semihosting -icount shift=6 -kernel "$out/estimator" </dev/null)
(
    cd "$out"
    # shellcheck disable=SC2086
    arm-none-eabi-gcc $flags -c $code
)
bytes=$(arm-none-eabi-size "$out"/*.o | awk 'NR > 1 { n += $1 } END { print n }')
instructions=$(echo "$line" | sed -n 's/.*"instructions_in_100_ms":\([0-9]*\).*/\1/p')
share=$(awk "BEGIN { printf \"%.4f\", $instructions * 1.5 / 1e7 }")
echo "${line%\}},\"code_and_profiles_bytes\":$bytes,\"share_of_100_ms_at_100_MHz\":$share}"
