# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# test.sh -- the suites. Each builds what it needs, starts instances of its own, and ends with one line of figures.

PRODUCT_SUITES='unit asan fuzz mutants integration e2e fault'

help_test() {
    cat <<TEXT
usage: ./cellwarden test [SUITE...]

  unit          CUnit programs and the rules of the source tree (ctest)
  asan          the same under address and undefined-behaviour sanitizers
  fuzz          every libFuzzer target for a few seconds
  mutants       a sample of the run \`mutation\` below, always the same one (about 90 s)
  integration   programs against each other, over real sockets (pytest)
  e2e           the console in headless Chromium against a running instance (Playwright)
  fault         kill and cut everything under load; nothing may be lost (pytest)
  conformance   against udsoncan, can-isotp, cantools, pymodbus, mbpoll, tshark, autosar-e2e (pytest)
  coverage      line and branch coverage of protection, contactor and store by the unit tests; must be complete (gcov)
  mutation      one operator changed at a time in the safety modules: the unit tests must notice 95 % (6 minutes)
  fresh         \`up\`, \`down\` and \`test\` on a bare Debian 12 in a folder (needs root)
  all           all of these but mutation

Without a suite: $PRODUCT_SUITES. Exit 1 when anything failed.
Options of a suite follow after --, for example: ./cellwarden test integration -- -k slcan
TEXT
}

cmd_test() {
    suites=
    while [ $# -gt 0 ]; do
        case $1 in
        unit | asan | fuzz | mutants | integration | e2e | fault | conformance | coverage | mutation | fresh) suites="$suites $1" ;;
        all) suites="$suites $PRODUCT_SUITES conformance coverage fresh" ;;
        --) shift; break ;;
        *) usage_error "there is no test suite '$1' (./cellwarden test --help lists them)" ;;
        esac
        shift
    done
    [ -n "$suites" ] || suites=$PRODUCT_SUITES
    mkdir -p "$BUILD/test"
    report=$BUILD/test/report.$$
    : >"$report"
    failed=0
    for suite in $suites; do
        run_suite "$suite" "$@"
    done
    say "in all ($(elapsed) s):"
    sed 's/^/  /' "$report"
    rm -f "$report"
    [ $failed = 0 ]
}

# One suite in a subshell of its own, so that an error in one leaves the others to run.
run_suite() {
    suite=$1
    shift
    began=$(date +%s)
    rm -f "$BUILD/test/$suite.xml" "$BUILD/test/$suite.note"
    say "test $suite"
    set +e
    (
        set -e
        "suite_$suite" "$@"
    )
    code=$?
    set -e
    [ $code = 0 ] || failed=1
    line="$suite: $(figures "$BUILD/test/$suite.xml" $code) ($(($(date +%s) - began)) s)"
    [ ! -s "$BUILD/test/$suite.note" ] || line="$line $(cat "$BUILD/test/$suite.note")"
    echo "$line" | tee -a "$report"
}

# "N passed, N failed, N skipped" from a JUnit file; ctest, pytest and Playwright all write one.
figures() {
    if [ ! -s "$1" ]; then
        if [ "$2" = 0 ]; then echo passed; else echo "FAILED before it could count"; fi
        return 0
    fi
    tr '\n\t' '  ' <"$1" | grep -o '<testsuite [^>]*>' | awk '
        function count(name) { return match($0, " " name "=\"[0-9]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : 0 }
        { all += count("tests"); failed += count("failures") + count("errors"); skipped += count("skipped") + count("disabled") }
        END { printf "%d passed, %d failed, %d skipped", all - failed - skipped, failed, skipped }'
}

run_ctest() {
    ctest --test-dir "$BUILD/$1" -j "$(nproc)" --output-on-failure --no-tests=error --output-junit "$BUILD/test/$2.xml" \
        >"$BUILD/test/$2.log" 2>&1 || {
        grep -v ' Passed ' "$BUILD/test/$2.log"
        return 1
    }
    echo "with $(grep -c '^  Test: .*passed' "$BUILD/test/$2.xml") CUnit cases" >"$BUILD/test/$2.note"
}

suite_unit() {
    need_packages run test
    build_preset host
    run_ctest host unit
}

suite_asan() {
    need_packages run test
    build_preset asan
    run_ctest asan asan
}

suite_fuzz() {
    need_packages run test fuzz
    build_preset fuzz fuzzers
    passed=0
    for target in $(fuzz_targets); do
        run_fuzz "$target" "${CELLWARDEN_FUZZ_SECONDS:-4}" >"$BUILD/test/fuzz-$target.log" 2>&1 || {
            tail -n 30 "$BUILD/test/fuzz-$target.log"
            die "fuzz target $target found something: input in $BUILD/fuzz/found/$target"
        }
        passed=$((passed + 1))
    done
    echo "<testsuite name=\"fuzz\" tests=\"$passed\" failures=\"0\">" >"$BUILD/test/fuzz.xml"
}

run_pytest() {
    suite=$1
    shift
    [ -d "$ROOT/tests/$suite" ] || die "there are no tests in tests/$suite"
    need_packages run test sql
    build_preset "${CELLWARDEN_PRESET:-host}"
    build_extension
    build_web
    need_venv
    (cd "$ROOT" && PYTHONPATH=$ROOT/tests/lib PYTHONDONTWRITEBYTECODE=1 CELLWARDEN_PRESET=${CELLWARDEN_PRESET:-host} \
        "$BUILD/venv/bin/pytest" -q -ra --durations=5 -p no:cacheprovider --junitxml="$BUILD/test/$suite.xml" "tests/$suite" "$@" </dev/null)
}

suite_integration() { run_pytest integration "$@"; }

suite_conformance() { run_pytest conformance "$@"; }

suite_fault() {
    rm -f "$BUILD/test/fault.json"
    run_pytest fault "$@"
    [ ! -f "$BUILD/test/fault.json" ] || cp "$BUILD/test/fault.json" "$BUILD/test/fault.note"
}

# The console against an instance of its own; Chromium is Debian's.
suite_e2e() {
    e2e=$ROOT/server/web
    [ ! -f "$ROOT/tests/e2e/package.json" ] || e2e=$ROOT/tests/e2e
    [ -f "$e2e/package.json" ] || die "there are no browser tests"
    need_packages run test
    build_preset "${CELLWARDEN_PRESET:-host}"
    build_web
    need_node_modules "$e2e"
    e2e_var=$BUILD/test/e2e-instance
    "$ROOT/cellwarden" down --var "$e2e_var" --purge >/dev/null
    trap '"$ROOT/cellwarden" down --var "$e2e_var" >/dev/null' EXIT
    "$ROOT/cellwarden" up --no-build --preset "${CELLWARDEN_PRESET:-host}" --var "$e2e_var" --console-port auto \
        --broker-port auto --service-port auto >"$BUILD/test/e2e-up.log" 2>&1 || { cat "$BUILD/test/e2e-up.log"; return 1; }
    use_instance "$e2e_var"
    CELLWARDEN_BIN=$BUILD/${CELLWARDEN_PRESET:-host}/bin \
        CELLWARDEN_URL="http://$(fact reach):$(fact console_port)" CELLWARDEN_USER=admin \
        CELLWARDEN_PASSWORD="$(cat "$VAR/admin.password")" CELLWARDEN_VAR="$VAR" \
        PLAYWRIGHT_JUNIT_OUTPUT_NAME="$BUILD/test/e2e.xml" CHROMIUM="$(command -v chromium)" \
        npm --prefix "$e2e" run --silent e2e -- "$@"
}

# Only what the safety modules need is built. Figures of an earlier run would count: they go first.
suite_coverage() {
    need_packages run test
    build_preset coverage tests/unit/firmware/all
    find "$BUILD/coverage/firmware" -name '*.gcda' -delete
    # Without the sweeps over every state and the random walk: each branch has a test that means it.
    ctest --test-dir "$BUILD/coverage/tests/unit/firmware" -j "$(nproc)" -E '^test_(reaction|random)$' --timeout 600 \
        --output-on-failure --no-tests=error >"$BUILD/test/coverage.log" 2>&1 || {
        grep -v ' Passed ' "$BUILD/test/coverage.log"
        return 1
    }
    complete=0
    PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/tests/tools/coverage.py" --build "$BUILD/coverage" --json "$BUILD/test/coverage.json" "$@" \
        >"$BUILD/test/coverage.txt" || complete=1
    cat "$BUILD/test/coverage.txt"
    sed -n 's/^in all *[0-9]* *\([0-9.]*\) % *[0-9]* *\([0-9.]*\) %/lines \1 %, branches \2 %/p' "$BUILD/test/coverage.txt" >"$BUILD/test/coverage.note"
    return $complete
}

# ./cellwarden test mutation -- --sample 100 --seed 7
suite_mutation() { run_mutants mutation "$@"; }

# The same mutants each time, so that what passes here passes there.
suite_mutants() { run_mutants mutants --sample 500 --seed 1 "$@"; }

run_mutants() {
    figures=$BUILD/test/$1.json
    note=$BUILD/test/$1.note
    shift
    need_packages run test
    build_preset host tests/unit/firmware/all
    rm -f "$figures"
    enough=0
    PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/tests/tools/mutate.py" --build "$BUILD/host" --json "$figures" "$@" || enough=1
    [ ! -f "$figures" ] || tr -d '\n' <"$figures" | sed 's/.*"caught": \([0-9]*\), *"counted": \([0-9]*\),.*/\1 of \2 mutants caught/' >"$note"
    return $enough
}

suite_fresh() { fresh_run "$@"; }
