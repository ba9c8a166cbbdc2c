# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# fresh.sh -- hand over to deploy/fresh.sh, as root.

fresh_run() {
    need_packages fresh
    fresh_dir=$BUILD/fresh
    if [ "${1:-}" = --dir ]; then
        fresh_dir=$(value_of "$@")
        shift 2
    fi
    as_root "$ROOT/deploy/fresh.sh" "$fresh_dir" "$@"
}
