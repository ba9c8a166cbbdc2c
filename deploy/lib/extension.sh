# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# extension.sh -- cells in SQL (server/pgext): built where PostgreSQL's headers are, and brought to an instance's own database. Optional: nothing here may
# stop an `up`.
#
# PostgreSQL 15 looks for extensions in its share folder alone. So that an instance needs no root for it and changes nothing of the machine, its server
# program is a copy in a tree of the same shape, where the rest are links to Debian's; PostgreSQL finds its folders from where its program lies:
#
#   DATABASE_DIR/server/lib/postgresql/15/bin/postgres               a copy (PostgreSQL follows links before it looks)
#   DATABASE_DIR/server/lib/postgresql/15/lib/*                      links, and cellwarden.so
#   DATABASE_DIR/server/share/postgresql/15/*, extension/*           links, and cellwarden.control, cellwarden--*.sql

extension_headers() { [ -f "/usr/include/postgresql/${1:-15}/server/postgres.h" ]; }

# Built into $BUILD/pgext when the headers of the newest PostgreSQL here are installed; silence when they are not.
build_extension() {
    pg_bin=$(postgres_bin)
    extension_headers "$(basename "$(dirname "$pg_bin")")" || return 0
    build_lock
    if [ ! -f "$BUILD/pgext/build.ninja" ]; then
        run_quietly "$BUILD/pgext-configure.log" "configuring the database extension" \
            cmake -G Ninja -S "$ROOT/server/pgext" -B "$BUILD/pgext" "-DPG_CONFIG=$pg_bin/pg_config"
    fi
    run_quietly "$BUILD/pgext-build.log" "building the database extension" cmake --build "$BUILD/pgext" -j "$(nproc)"
    build_unlock
}

extension_is_built() { [ -f "$BUILD/pgext/cellwarden.so" ] && [ -f "$BUILD/pgext/extension/cellwarden.control" ]; }

# postgres_home PG_BIN: the folder of the server program that the instance runs: its own tree with the extension, or PG_BIN as it is.
postgres_home() {
    tree=$database_dir/server
    case $1 in
    /usr/lib/postgresql/*/bin) ;;
    *) echo "$1"; return 0 ;;
    esac
    if extension_is_built && make_tree "$1" >"$VAR/log/extension.log" 2>&1; then
        echo "$own_bin"
    else
        echo "$1"
    fi
}

make_tree() {
    version=$(basename "$(dirname "$1")")
    real_lib=/usr/lib/postgresql/$version
    real_share=/usr/share/postgresql/$version
    own_bin=$tree/lib/postgresql/$version/bin
    own_lib=$tree/lib/postgresql/$version/lib
    own_share=$tree/share/postgresql/$version
    mkdir -p "$own_bin" "$own_lib" "$own_share/extension" || return 1
    ln -sf "$real_lib"/lib/* "$own_lib/" || return 1
    find "$real_share" -maxdepth 1 -mindepth 1 ! -name extension -exec ln -sf {} "$own_share/" \; || return 1
    ln -sf "$real_share"/extension/* "$own_share/extension/" || return 1
    put_file "$real_lib/bin/postgres" "$own_bin" || return 1
    put_file "$BUILD/pgext/cellwarden.so" "$own_lib" || return 1
    for file in "$BUILD"/pgext/extension/*; do
        put_file "$file" "$own_share/extension" || return 1
    done
    chmod -R go+rX "$tree" || return 1
    (cd / && as_database_user "$own_bin/postgres" --version) # not where programs may not run
}

# A file that is the same stays where it is: a process that was started from it is not outdated.
put_file() {
    put=$2/$(basename "$1")
    [ ! -L "$put" ] && cmp -s "$1" "$put" && return 0
    cp "$1" "$put.new" && mv -f "$put.new" "$put"
}

# In the database: the functions, and the views over the server's tables.
create_extension() {
    extension_version=$(psql -XAtq "$conninfo" -c "select default_version from pg_available_extensions where name = 'cellwarden'" 2>/dev/null) || return 0
    [ -n "$extension_version" ] || return 0
    if psql -XAtq "$conninfo" -f "$ROOT/server/pgext/views.sql" >>"$VAR/log/extension.log" 2>&1; then
        say "sql         cells can be read in SQL: extension cellwarden $extension_version (docs/sql.md)"
    else
        note "the extension cellwarden could not be created: see $VAR/log/extension.log"
    fi
}
