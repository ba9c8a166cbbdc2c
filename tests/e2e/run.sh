#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [PATTERN] -- the browser tests: against the fixture server, and against a running instance when CELLWARDEN_URL is set
# (with CELLWARDEN_USER, CELLWARDEN_PASSWORD, CELLWARDEN_VAR). PATTERN picks tests by name. Needs Node 18, npm and chromium.
set -eu

here=$(dirname -- "$(readlink -f -- "$0")")
web=$here/../../server/web
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

# npm ci in folder $1 when its lockfile is another one than the last time.
packages() {
    made=$(sha256sum "$1/package-lock.json" | cut -c1-64)
    [ "$(cat "$1/node_modules/.made-from" 2>/dev/null)" != "$made" ] || return 0
    npm --prefix "$1" ci --no-audit --no-fund
    echo "$made" >"$1/node_modules/.made-from"
}

packages "$here"
if [ ! -f "$web/dist/index.html" ] || [ ! -f "$web/dist/index.html.gz" ]; then
    packages "$web"
    npm --prefix "$web" run build
fi

cd "$here"
set -- ${1:+--test-name-pattern="$1"}
[ -z "${PLAYWRIGHT_JUNIT_OUTPUT_NAME:-}" ] || set -- "$@" --test-reporter=./lib/junit.mjs --test-reporter-destination="$PLAYWRIGHT_JUNIT_OUTPUT_NAME"
exec node --test-reporter=spec --test-reporter-destination=stdout "$@" tests/all.mjs
