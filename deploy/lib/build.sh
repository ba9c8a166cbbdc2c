# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# build.sh -- the programs (CMake presets) and the console (npm), only when something changed.

# What an instance runs on; test programs are not among them and need more packages.
PROGRAMS='contracts cellwarden-pack cellwarden-dtu cellwarden-server cellwarden-verify cellwarden-vehicle cellwarden-writeback'

help_build() {
    cat <<TEXT
usage: ./cellwarden build [release|host|asan|coverage|fuzz]

Builds the programs into build/<preset>/bin and the console into server/web/dist. Default: release.
TEXT
}

cmd_build() {
    preset=${1:-release}
    case $preset in
    release | host | asan | coverage | fuzz) ;;
    *) usage_error "there is no preset '$preset' (release, host, asan, coverage, fuzz)" ;;
    esac
    need_packages run
    case $preset in
    fuzz) need_packages test fuzz ;;
    host | asan | coverage) need_packages test ;;
    esac
    build_preset "$preset"
    build_web
    say "built: $BUILD/$preset/bin ($(elapsed) s)"
}

# One build at a time in one build folder: suites and instances may ask together.
build_lock() {
    mkdir -p "$BUILD"
    exec 8>"$BUILD/.lock"
    flock -w 1800 8 || die "another build has held $BUILD/.lock for 30 minutes"
}
build_unlock() { exec 8>&-; }

# build_preset PRESET [TARGET..]
build_preset() {
    preset=$1
    shift
    targets=
    for target in "$@"; do
        targets="$targets --target $target"
    done
    build_lock
    if [ ! -f "$BUILD/$preset/build.ninja" ]; then
        run_quietly "$BUILD/$preset-configure.log" "configuring $preset" configure "$preset"
    fi
    # shellcheck disable=SC2086
    run_quietly "$BUILD/$preset-build.log" "building $preset" cmake --build "$BUILD/$preset" -j "$(nproc)" $targets
    build_unlock
}

configure() { (cd "$ROOT" && cmake --preset "$1" -B "$BUILD/$1"); }

# A program must exist before anything is started with it.
need_program() {
    [ -x "$BUILD/$PRESET/bin/$1" ] || die "the program $1 was not built in $BUILD/$PRESET/bin"
}

# The console. Its output carries the hash of everything that it was made from.
build_web() {
    web=$ROOT/server/web
    [ -f "$web/package.json" ] || { note "there is no console to build (server/web/package.json)"; return 0; }
    build_lock
    web_hash=$(hash_of_web)
    if [ -f "$web/dist/index.html" ] && [ "$(cat "$web/dist/.made-from" 2>/dev/null)" = "$web_hash" ]; then
        build_unlock
        return 0
    fi
    need_node_modules "$web"
    run_quietly "$BUILD/web-build.log" "building the console" npm --prefix "$web" run build
    echo "$web_hash" >"$web/dist/.made-from"
    build_unlock
}

hash_of_web() {
    (cd "$web" && find . \( -name node_modules -o -name dist -o -name test-results -o -name playwright-report \) -prune \
        -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64)
}

# need_node_modules FOLDER: npm ci, when package-lock.json changed since the last time.
need_node_modules() {
    lock_hash=$(sha256sum "$1/package-lock.json" | cut -c1-64)
    [ "$(cat "$1/node_modules/.made-from" 2>/dev/null)" != "$lock_hash" ] || return 0
    export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 PUPPETEER_SKIP_DOWNLOAD=1
    run_quietly "$BUILD/npm-$(basename "$1").log" "fetching the console's packages (npm ci)" \
        npm --prefix "$1" ci --no-audit --no-fund
    echo "$lock_hash" >"$1/node_modules/.made-from"
}

# The Python of the tests: Debian's own, in a folder of ours, with pinned packages.
need_venv() {
    venv=$BUILD/venv
    pins=$(sha256sum "$ROOT/tests/requirements.txt" | cut -c1-64)
    [ "$(cat "$venv/.made-from" 2>/dev/null)" != "$pins" ] || return 0
    build_lock
    rm -rf "$venv"
    run_quietly "$BUILD/venv.log" "preparing the tests' Python" make_venv
    echo "$pins" >"$venv/.made-from"
    build_unlock
}

make_venv() {
    /usr/bin/python3 -m venv "$venv" &&
        "$venv/bin/pip" install --disable-pip-version-check --no-input -r "$ROOT/tests/requirements.txt"
}
