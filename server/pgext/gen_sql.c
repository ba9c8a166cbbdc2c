/* SPDX-License-Identifier: Apache-2.0 */
/* gen_sql.c -- cellwarden_pg_sql FOLDER [FIRST]: write the SQL side of the PostgreSQL extension, at build time.
 *
 *   cellwarden.control              which version is current
 *   cellwarden--1.N.sql             its functions; the scalar columns are the recorded rows of signals.def
 *   cellwarden--1.K--1.N.sql        the way there from each older version (from 1.FIRST on: a test invents one that was never handed out)
 *
 * The version is INTERFACE.N: INTERFACE grows by hand when a function changes, N is the number of recorded signals, which are only ever appended. A function
 * cannot get more columns in place, so an upgrade makes the functions anew; a view of somebody's that stands on them stops it with PostgreSQL's own words.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/sample.h"

enum { INTERFACE = 1, FIRST_SCALARS = 48 /* of the first version that was handed out */ };

static const struct {
    const char *name;
    bool plain; /* 32 bits as they are: more than an integer holds */
} scalars[SAMPLE_SCALARS] = {
#define KIND_U 0
#define KIND_S 0
#define KIND_B 1
#define SCALAR_0(name, is_plain)
#define SCALAR_1(name, is_plain)                                                        [SAMPLE_##name] = { #name, is_plain },
#define SIGNAL(message, name, start_bit, bits, kind, unit, min, max, recorded, comment) SCALAR_##recorded(name, KIND_##kind && (bits) == 32)
#include "proto/signals.def"
};

static const struct {
    const char *name, *args, *returns, *says; /* returns NULL: a row for each sample, all of it */
} functions[] = {
    { "cellwarden_samples", "record bytea", NULL, "every sample of a record; what was not valid is NULL" },
    { "cellwarden_cell", "record bytea, cell integer", "TABLE (at timestamptz, mV integer)",
      "one cell, from 1; no rows where the pack does not have it" },
    { "cellwarden_cell_buckets", "record bytea, cell integer, since timestamptz, until timestamptz, step interval",
      "TABLE (at timestamptz, samples integer, min_mV integer, max_mV integer, sum_mV bigint)",
      "one cell, a row for each step of time in the record; add up what two records give of one" },
    { "cellwarden_probe", "record bytea, probe integer", "TABLE (at timestamptz, ddegC integer)",
      "one temperature, from 1; no rows where the pack does not have it" },
    { "cellwarden_cells_minmax", "record bytea",
      "TABLE (at timestamptz, min_mV integer, min_cell integer, max_mV integer, max_cell integer, mean_mV integer)",
      "lowest, highest and mean of the valid cells of each sample" },
    { "cellwarden_fault", "record bytea", "text", "why these bytes are not a record; NULL when they are one" },
    { "cellwarden_alarm_name", "alarm integer", "text", "the name of an alarm in alarm_span; NULL when there is none of this number" },
};

enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static void print_samples_table(FILE *out)
{
    fprintf(out, "TABLE (at timestamptz, boot bigint, no bigint, cell_mV integer[], temp_ddegC integer[], balancing boolean[]");
    for (size_t i = 0; i < SAMPLE_SCALARS; i++)
        fprintf(out, ",\n    %s %s", scalars[i].name, scalars[i].plain ? "bigint" : "integer");
    fputc(')', out);
}

static void print_functions(FILE *out)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        int is_set = functions[i].returns == NULL || functions[i].returns[0] == 'T';

        fprintf(out, "\nCREATE FUNCTION %s(%s) RETURNS ", functions[i].name, functions[i].args);
        if (functions[i].returns)
            fputs(functions[i].returns, out);
        else
            print_samples_table(out);
        fprintf(out, "\n    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000%s;\n", is_set ? " ROWS 60" : "");
        fprintf(out, "COMMENT ON FUNCTION %s(%s) IS '%s';\n", functions[i].name, functions[i].args, functions[i].says);
    }
}

static FILE *begin(const char *folder, const char *name)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = n > 0 && (size_t)n < sizeof path ? fopen(path, "w") : NULL;

    if (!out)
        fprintf(stderr, "cellwarden_pg_sql: cannot write %s/%s\n", folder, name);
    return out;
}

/* Returns 0, or 1 when the file could not be written whole. */
static int end(FILE *out)
{
    int bad = ferror(out);

    return fclose(out) != 0 || bad;
}

static int write_control(const char *folder)
{
    FILE *out = begin(folder, "cellwarden.control");

    if (!out)
        return 1;
    fprintf(out,
            "# SPDX-License-Identifier: Apache-2.0\n"
            "comment = 'Cellwarden records read in SQL: every cell, temperature and signal of each sample'\n"
            "default_version = '%d.%d'\nmodule_pathname = '$libdir/cellwarden'\nrelocatable = true\ntrusted = false\n",
            INTERFACE, SAMPLE_SCALARS);
    return end(out);
}

static int write_version(const char *folder)
{
    char name[64];

    snprintf(name, sizeof name, "cellwarden--%d.%d.sql", INTERFACE, SAMPLE_SCALARS);
    FILE *out = begin(folder, name);

    if (!out)
        return 1;
    fputs("-- SPDX-License-Identifier: Apache-2.0\n\\echo Use \"CREATE EXTENSION cellwarden\" to load this file. \\quit\n", out);
    print_functions(out);
    return end(out);
}

static int write_upgrade(const char *folder, int from)
{
    char name[64];

    snprintf(name, sizeof name, "cellwarden--%d.%d--%d.%d.sql", INTERFACE, from, INTERFACE, SAMPLE_SCALARS);
    FILE *out = begin(folder, name);

    if (!out)
        return 1;
    fputs("-- SPDX-License-Identifier: Apache-2.0\n\\echo Use \"ALTER EXTENSION cellwarden UPDATE\" to load this file. \\quit\n\n", out);
    for (size_t i = 0; i < FUNCTIONS; i++)
        fprintf(out, "DROP FUNCTION IF EXISTS %s(%s);\n", functions[i].name, functions[i].args);
    print_functions(out);
    return end(out);
}

int main(int argc, char **argv)
{
    int first = argc == 3 ? (int)strtol(argv[2], NULL, 10) : FIRST_SCALARS;

    if (argc < 2 || argc > 3 || first < 1) {
        fprintf(stderr, "usage: cellwarden_pg_sql FOLDER [FIRST]\n");
        return 2;
    }
    int bad = write_control(argv[1]) || write_version(argv[1]);

    for (int from = first; from < SAMPLE_SCALARS && !bad; from++)
        bad = write_upgrade(argv[1], from);
    return bad;
}
