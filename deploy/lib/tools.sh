# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# tools.sh -- bench, fuzz, record, replay, and the upper computer on a cable.

help_bench() {
    cat <<TEXT
usage: ./cellwarden bench [NAME] [--json] [OPTIONS]

Runs one measurement on the release build: a program build/release/bin/bench_NAME or a script tests/bench/NAME.py or
NAME.sh. Further options go to it. Without a name: lists what there is.
TEXT
}

bench_names() {
    for bench in "$BUILD"/release/bin/bench_* "$ROOT"/tests/bench/*.py "$ROOT"/tests/bench/*.sh "$ROOT"/tests/bench/bench_*.c; do
        [ -f "$bench" ] || continue
        bench=$(basename "$bench")
        bench=${bench#bench_}
        echo "${bench%.*}"
    done | sort -u
}

cmd_bench() {
    bench=
    case ${1:-} in '' | -*) ;; *) bench=$1; shift ;; esac
    if [ -z "$bench" ]; then
        say "measurements: $(bench_names | tr '\n' ' ')"
        return 0
    fi
    bench_names | grep -qx -e "$bench" || usage_error "there is no measurement '$bench'; there are: $(bench_names | tr '\n' ' ')"
    case $bench in
    estimator) need_packages run test arm ;; # it compiles for the board
    history)
        need_packages run test sql
        build_extension >&2
        ;;
    *) need_packages run test ;;
    esac
    build_preset release >&2
    PRESET=release
    if [ -x "$BUILD/release/bin/bench_$bench" ]; then
        exec "$BUILD/release/bin/bench_$bench" "$@"
    elif [ -f "$ROOT/tests/bench/$bench.sh" ]; then
        exec sh "$ROOT/tests/bench/$bench.sh" "$@"
    fi
    need_venv >&2
    PYTHONPATH=$ROOT/tests/lib CELLWARDEN_PRESET=release exec "$BUILD/venv/bin/python" "$ROOT/tests/bench/$bench.py" "$@"
}

help_fuzz() {
    cat <<TEXT
usage: ./cellwarden fuzz [NAME.. | --all] [--seconds N]

Runs one libFuzzer target, 60 s unless told otherwise. It starts from tests/fuzz/corpus/NAME and keeps what it learns in
build/fuzz/corpus/NAME; what breaks it is kept in build/fuzz/found/NAME. Without a name: lists the targets.
With several names, or --all: one after the other, each for N seconds, with a line of figures each (the fuzzer's own words
are in build/fuzz/NAME.log). Exit 1 when anything was found.
TEXT
}

fuzz_targets() {
    for target in "$BUILD"/fuzz/bin/fuzz_*; do
        [ -x "$target" ] || continue
        target=$(basename "$target")
        echo "${target#fuzz_}"
    done
}

# run_fuzz NAME SECONDS
run_fuzz() {
    learned=$BUILD/fuzz/corpus/$1
    found=$BUILD/fuzz/found/$1
    seeds=$ROOT/tests/fuzz/corpus/$1
    mkdir -p "$learned" "$found"
    [ -d "$seeds" ] || seeds=
    # shellcheck disable=SC2086 # no seeds, no argument
    "$BUILD/fuzz/bin/fuzz_$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$found/" "$learned" ${seeds:+"$seeds"}
}

# One line of figures for each target; goes on after a finding, so that a long run tells all. Exit 1 when there was one.
run_fuzz_many() {
    broken=0
    for target in $1; do
        log=$BUILD/fuzz/$target.log
        began=$(date +%s)
        result=clean
        run_fuzz "$target" "$2" >"$log" 2>&1 || { result="FOUND, input in $BUILD/fuzz/found/$target"; broken=$((broken + 1)); }
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "$target: ${runs:-0} executions in $(($(date +%s) - began)) s: $result"
    done
    say "fuzz: $(echo "$1" | wc -w) targets, $broken with findings"
    [ $broken = 0 ]
}

cmd_fuzz() {
    fuzz_wanted=
    seconds=60
    all=no
    while [ $# -gt 0 ]; do
        case $1 in
        --seconds) seconds=$(value_of "$@"); is_number "$seconds" || usage_error "--seconds needs a number"; shift 2 ;;
        --all) all=yes; shift ;;
        -*) usage_error "fuzz has no option '$1' (./cellwarden fuzz --help)" ;;
        *) fuzz_wanted="$fuzz_wanted $1"; shift ;;
        esac
    done
    [ $all = no ] || [ -z "$fuzz_wanted" ] || usage_error "--all or names, not both"
    need_packages run test fuzz
    build_preset fuzz fuzzers
    if [ $all = yes ]; then
        fuzz_wanted=$(fuzz_targets)
    elif [ -z "$fuzz_wanted" ]; then
        say "fuzz targets: $(fuzz_targets | tr '\n' ' ')"
        return 0
    fi
    for target in $fuzz_wanted; do
        fuzz_targets | grep -qx -e "$target" || usage_error "there is no fuzz target '$target'; there are: $(fuzz_targets | tr '\n' ' ')"
    done
    if [ "$(echo "$fuzz_wanted" | wc -w)" -gt 1 ]; then
        run_fuzz_many "$fuzz_wanted" "$seconds"
    else
        run_fuzz "$(echo "$fuzz_wanted" | tr -d ' ')" "$seconds"
    fi
}

help_replay() {
    cat <<TEXT
usage: ./cellwarden replay FILE [--speed N|max] [--json] [--var DIR] [--no-build]
       ./cellwarden replay FILE --alarms [--chemistry WORD] [--json] [--no-build]
       ./cellwarden replay FILE --firmware [--alarms] [--json] [--no-build]

Plays a recorded pack log (CSV, plain or gzip: t_s,i_A[,pack_V],c<k>_mV..,t<k>_C..) through the simulated chips, the board,
a DTU, the broker and the server into the database, then compares what the board measured with what the database holds.
Uses the instance that is up ($VAR_HINT); if none is, one that lasts as long as the replay.
Exit 0 only when every frame was stored, once.

--alarms: through chips and board only; names each alarm that comes and goes, with the log's time, level, cell or probe, and value.
--firmware: FILE was made by \`./cellwarden record\`. Its inputs are given to the firmware once more, and every output is
compared, bit for bit; the first that differs is named. Exit 0 only when all are the same.
TEXT
}

help_record() {
    cat <<TEXT
usage: ./cellwarden record FILE [--no-build] [OPTIONS OF cellwarden-pack]

Runs a simulated pack and writes every input of its BIU, and the fingerprint of every output, to FILE. For example
  ./cellwarden record drive.biu --cells 96 --samples 600 --fault open-wire:7@30-40
  ./cellwarden record log.biu --replay log.csv.gz
Without --samples (one a second) or --replay it runs for 60 s of the pack's life; it runs as fast as it can, unless --speed says otherwise.
\`./cellwarden replay FILE --firmware\` plays it again; docs/simulation.md says what is in the file.
TEXT
}

# record_biu FILE OPTION..: a pack with a hub and a memory of its own, as fast as it goes.
record_biu() {
    record_file=$1
    shift
    case " $* " in
    *" --samples "* | *" --replay "*) ;;
    *) set -- "$@" --samples 60 ;;
    esac
    case " $* " in *" --speed "*) ;; *) set -- "$@" --speed max ;; esac
    record_work=$(mktemp -d /tmp/cellwarden-record.XXXXXX)
    code=0
    "$BUILD/$PRESET/bin/cellwarden-pack" --hub "$record_work/hub" --nvm "$record_work/nvm" --record "$record_file" "$@" \
        2>"$record_work/log" || code=$?
    [ $code = 0 ] || sed -n 's/^error [^ ]* /error: /p; s/^cellwarden-pack: //p' "$record_work/log" >&2
    rm -rf "$record_work"
    return $code
}

prepare_biu_tools() {
    PRESET=${CELLWARDEN_PRESET:-release}
    if [ "$1" = yes ]; then
        need_packages run >&2
        build_preset "$PRESET" cellwarden-pack cellwarden-biu-replay >&2
    fi
    for program in cellwarden-pack cellwarden-biu-replay; do need_program $program; done
}

cmd_record() {
    case ${1:-} in '' | -*) usage_error "record needs a file (./cellwarden record --help)" ;; esac
    file=$1
    shift
    build=yes
    if [ "${1:-}" = --no-build ]; then build=no; shift; fi
    prepare_biu_tools $build
    record_biu "$file" "$@" || die "nothing was recorded"
    say "recorded: $file ($(wc -c <"$file") bytes)"
}

# The board of a recorded pack, played by itself.
replay_biu() {
    prepare_biu_tools "$build"
    recorded=$file
    made=
    if [ "$how" = alarms ]; then
        made=$(mktemp /tmp/cellwarden-alarms.XXXXXX)
        trap 'rm -f "$made"' EXIT
        trap 'exit 1' INT TERM
        record_biu "$made" --replay "$file" --chemistry "$chemistry" --utc-start 1000000000000 || die "the replay of '$file' failed"
        recorded=$made
        show="--alarms --since 1000000000000"
    fi
    # shellcheck disable=SC2086 # options or nothing
    "$BUILD/$PRESET/bin/cellwarden-biu-replay" $show $as_json "$recorded"
}

cmd_replay() {
    file=
    speed=max
    json=no
    build=yes
    var=${CELLWARDEN_VAR:-}
    how=
    show=
    as_json=
    chemistry=nmc
    while [ $# -gt 0 ]; do
        case $1 in
        --speed) speed=$(value_of "$@"); shift 2 ;;
        --var) var=$(value_of "$@"); shift 2 ;;
        --json) json=yes; as_json=--json; shift ;;
        --no-build) build=no; shift ;;
        --firmware) how=firmware; shift ;;
        --alarms) show=--alarms; [ -n "$how" ] || how=alarms; shift ;;
        --chemistry) chemistry=$(value_of "$@"); shift 2 ;;
        -*) usage_error "replay has no option '$1' (./cellwarden replay --help)" ;;
        *) [ -z "$file" ] || usage_error "one file at a time"; file=$1; shift ;;
        esac
    done
    [ -n "$file" ] || usage_error "replay needs a file (./cellwarden replay --help)"
    case $speed in max) ;; *) is_number "$speed" && [ "$speed" -ge 1 ] || usage_error "--speed is a whole number from 1, or max" ;; esac
    [ -f "$file" ] || die "there is no file '$file'"
    [ -r "$file" ] || die "the file '$file' cannot be read"
    if [ -n "$how" ]; then
        replay_biu
        return
    fi

    PRESET=${CELLWARDEN_PRESET:-release}
    if [ $build = yes ]; then
        need_packages run >&2
        # shellcheck disable=SC2086
        build_preset "$PRESET" $PROGRAMS >&2
    fi
    for program in cellwarden-pack cellwarden-dtu cellwarden-server cellwarden-verify; do need_program $program; done
    use_instance "$var"
    replay_var=
    kept=
    supervisor_pid server >/dev/null || begin_replay_instance >&2
    trap end_replay EXIT
    trap 'exit 1' INT TERM
    replay_through
}

# Database, broker and server for this replay alone.
begin_replay_instance() {
    mkdir -p "$BUILD"
    replay_var=$(mktemp -d "$BUILD/replay.XXXXXX")
    trap end_replay EXIT
    use_instance "$replay_var"
    "$ROOT/cellwarden" up --no-build --preset "$PRESET" --var "$replay_var" --packs none --console-port auto \
        --broker-port auto --service-port auto \
        >"$BUILD/replay-up.log" 2>&1 || { cat "$BUILD/replay-up.log"; die "no instance for the replay"; }
}

replay_through() {
    device=replay.$(od -An -N6 -tx1 /dev/urandom | tr -d ' ')
    work=$(mktemp -d /tmp/cellwarden-replay.XXXXXX)
    bin=$BUILD/$PRESET/bin
    "$ROOT/deploy/pki.sh" --dir "$VAR/pki" device "$device"
    where=$(fact reach):$(fact broker_port)

    "$bin/cellwarden-pack" --name "$device" --replay "$file" --speed "$speed" --lossless --hub "$work/hub" \
        --nvm "$work/nvm" --truth "$work/truth" 2>"$work/pack.log" 9>&- &
    pack=$!
    wait_for 20 pack_listens && ! is_gone "$pack" || fail_replay
    "$bin/cellwarden-dtu" --name "$device" --hub "$work/hub" --journal "$work/journal" --broker "$where" \
        --server-name localhost --ca "$VAR/pki/ca.crt" --cert "$VAR/pki/$device.crt" --key "$VAR/pki/$device.key" \
        2>"$work/dtu.log" 9>&- &
    dtu=$!
    wait $pack || fail_replay
    pack=

    code=0
    "$bin/cellwarden-verify" --database "$(fact conninfo)" --device "$device" --truth "$work/truth" --wait 60 --json \
        >"$work/result" || code=$?
    if [ "$json" = yes ]; then
        cat "$work/result"
    else
        tr ',' '\n' <"$work/result" | tr -d '{}"' | sed 's/^ */  /'
    fi
    [ -s "$work/result" ] || die "cellwarden-verify gave no result"
    frames_in=$(number_in frames_in)
    [ "$frames_in" -gt 0 ] && [ "$frames_in" = "$(number_in frames_stored)" ] && [ "$(number_in duplicates)" = 0 ] && [ $code = 0 ] ||
        keep_work "what the board measured is not what the database holds"
}

pack_listens() { [ -S "$work/hub" ] || is_gone "$pack"; }

number_in() { tr -d ' \n' <"$work/result" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" | grep . || echo 0; }

keep_work() {
    kept=$work
    die "$1 (logs: $VAR/log and $work)"
}

# The pack says what is wrong with the file; that line is the answer.
fail_replay() {
    sed -n 's/^error [^ ]* /error: /p' "$work/pack.log" | tail -n 3 >&2
    [ -s "$work/pack.log" ] || note "cellwarden-pack ended without a word"
    die "the replay of '$file' failed"
}

end_replay() {
    code=$?
    trap - EXIT INT TERM
    for pid in ${dtu:-} ${pack:-}; do
        kill -s TERM "$pid" 2>/dev/null || true
        wait_for 10 is_gone "$pid" || kill -s KILL "$pid" 2>/dev/null || true
    done
    purge=--purge
    [ -z "$kept" ] || purge=
    # shellcheck disable=SC2086 # an option or nothing
    [ -z "$replay_var" ] || "$ROOT/cellwarden" down --var "$replay_var" $purge >&2 || true
    [ -z "${work:-}" ] || [ -n "$kept" ] || rm -rf "$work"
    exit $code
}

help_local() {
    cat <<TEXT
usage: ./cellwarden local --serial PORT | --can IF | --slcan HOST:PORT | --hub PATH [--listen HOST:PORT] [--name TENANT.VEHICLE]

The vehicle pages of the console (overview, cells, calibration, history, upgrade, simulated failures) for the board on a cable:
no server, no broker, no database. Prints the address to open in a browser on this computer (default http://127.0.0.1:8090/).
More: docs/cable.md, and all options: cellwarden-local --help.
TEXT
}

# The release programs named, and what they read. Standard output stays theirs.
need_cable_programs() {
    need_packages run >&2
    build_preset release contracts "$@" >&2
}

cmd_local() {
    need_cable_programs cellwarden-local
    build_web >&2
    exec "$BUILD/release/bin/cellwarden-local" --web "$ROOT/server/web/dist" --catalogue "$BUILD/release/proto/catalogue.json" "$@"
}

help_lcd() {
    need_cable_programs cellwarden-lcd
    "$BUILD/release/bin/cellwarden-lcd" --help | sed 's|^usage: cellwarden-lcd|usage: ./cellwarden lcd|'
}

cmd_lcd() {
    need_cable_programs cellwarden-lcd
    exec "$BUILD/release/bin/cellwarden-lcd" "$@"
}

help_ctl() {
    need_cable_programs cellwarden-ctl
    "$BUILD/release/bin/cellwarden-ctl" --help | sed 's|^usage: cellwarden-ctl|usage: ./cellwarden ctl|'
}

cmd_ctl() {
    need_cable_programs cellwarden-ctl
    exec "$BUILD/release/bin/cellwarden-ctl" "$@"
}
