# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# lint.sh -- everything that is judged without running it. Every check runs; the end names those that failed.

LINT_CHECKS='format shell tree includes traceability capacity cppcheck tidy types'

help_lint() {
    cat <<TEXT
usage: ./cellwarden lint [CHECK...]

  format         clang-format (./cellwarden lint --fix rewrites)
  shell          shellcheck
  tree           licence lines, nothing of one machine
  includes       who may include whom
  traceability   docs/traceability.md is current, no row is met without a test
  capacity       docs/capacity.md is what docs/capacity.json makes
  cppcheck       cppcheck
  tidy           clang-tidy on everything that the host preset and the database extension compile
  types          the console's TypeScript
Without a name: all of them. Exit 1 when one fails.
TEXT
}

cmd_lint() {
    checks=
    fix=no
    while [ $# -gt 0 ]; do
        case $1 in
        --fix) fix=yes ;;
        format | shell | tree | includes | traceability | capacity | cppcheck | tidy | types) checks="$checks $1" ;;
        *) usage_error "there is no check '$1' ($LINT_CHECKS)" ;;
        esac
        shift
    done
    need_packages run test sql lint
    cd "$ROOT" || exit 1
    if [ $fix = yes ]; then
        c_files | xargs -0 clang-format -i
        return 0
    fi
    mkdir -p "$BUILD/lint"
    bad=
    for check in ${checks:-$LINT_CHECKS}; do
        began=$(date +%s)
        if "lint_$check" >"$BUILD/lint/$check.log" 2>&1 </dev/null; then
            echo "lint $check: ok ($(($(date +%s) - began)) s)"
        else
            echo "lint $check: FAILED ($(($(date +%s) - began)) s)"
            head -n 60 "$BUILD/lint/$check.log"
            bad="$bad $check"
        fi
    done
    [ -z "$bad" ] || die "lint found something in:$bad (all of it in $BUILD/lint/)"
}

# Our C files, tracked ones only.
c_files() { git ls-files -z -- '*.c' '*.h'; }

lint_format() { c_files | xargs -0 clang-format --dry-run --Werror; }

lint_shell() {
    shellcheck -x cellwarden deploy/*.sh deploy/lib/*.sh .ci/run
    git ls-files -z -- 'tests/*.sh' | xargs -0 -r shellcheck
}

lint_tree() { python3 tests/deps/check_tree.py; }
lint_includes() { python3 tests/deps/check_includes.py; }
lint_traceability() { python3 tests/tools/traceability.py --check; }
lint_capacity() { python3 tests/tools/capacity.py --check; }

lint_cppcheck() {
    git ls-files -z -- '*.c' ':!tests' | xargs -0 cppcheck -q -j "$(nproc)" --std=c11 --enable=warning,performance,portability \
        --inline-suppr --suppressions-list=.cppcheck-suppressions --error-exitcode=1 -I . -I "$BUILD/host"
}

lint_tidy() {
    untidy=0
    build_preset host
    git ls-files -- '*.c' ':!tests' ':!:*_arm*' | while read -r file; do
        ! grep -q "\"file\": \"$ROOT/$file\"" "$BUILD/host/compile_commands.json" || printf '%s\0' "$file"
    done | xargs -0 -n 4 -P "$(nproc)" clang-tidy --quiet -p "$BUILD/host" || untidy=1
    build_extension
    git ls-files -z -- 'server/pgext/*.c' | xargs -0 -n 2 -P "$(nproc)" clang-tidy --quiet -p "$BUILD/pgext" || untidy=1
    return $untidy
}

lint_types() {
    for web in "$ROOT/server/web" "$ROOT/tests/e2e"; do
        [ -f "$web/tsconfig.json" ] || continue
        need_node_modules "$web"
        "$web/node_modules/.bin/tsc" --noEmit -p "$web" || return 1
    done
}
