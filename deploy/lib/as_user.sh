#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# as_user.sh USER COMMAND..: become that user when root, then be the command: same process, so its supervisor signals it.
set -eu
user=$1
shift
cd /
if [ "$(id -u)" = 0 ] && [ "$user" != root ]; then
    exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups -- "$@"
fi
exec "$@"
