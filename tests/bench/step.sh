#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# step.sh -- what one step of a BIU costs: CPU time and instructions for 48 and 160 cells, and a thousand of them in one process.
#
# CPU time is the mean over 100 s of a pack that is scanned, judged, sampled and streamed. Instructions are counted by callgrind, in biu_step()
# alone; null where valgrind is not installed. `biu_1000_cores` is the share of one core that 1,000 BIUs of 48 cells in one process need in real time.
set -eu

bench=${BUILD:?run it by ./cellwarden bench step}/release/bin/bench_biu_step
steps=400 # counted ones; 100 more run first, which are counted too

field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }

instructions() {
    if ! command -v valgrind >/dev/null; then
        echo null
        return 0
    fi
    collected=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=biu_step "$bench" "$1" $steps 2>&1 >/dev/null |
        sed -n 's/.*Collected : *\([0-9]*\).*/\1/p')
    echo $((collected / (steps + 100)))
}

row() { echo "{\"cpu_us\":$("$bench" "$1" | field mean_us),\"instructions\":$(instructions "$1")}"; }

command -v valgrind >/dev/null || echo "step: valgrind is not installed: no instructions are counted" >&2
echo "{\"cells_48\":$(row 48),\"cells_160\":$(row 160),\"biu_1000_cores\":$("$bench" --many | field cpu_share)}"
