/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle.c -- cellwarden-vehicle: everything that a database knows of a vehicle into one file, and from a file into another database. */
#include "common/err.h"
#include "server/history/vehicle_copy.h"

#include "proto/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: cellwarden-vehicle export --database CONNINFO --device TENANT.VEHICLE FILE\n"
                            "       cellwarden-vehicle import --database CONNINFO FILE\n\n"
                            "Records, newest state, alarms, operations, parameters, audit, hours, lost and refused records of one vehicle. "
                            "An import changes all tables or\n"
                            "none, and what is there already stays. Prints one JSON object. Exit 0, 1 for a failure, 2 for wrong usage.\n";

struct words {
    const char *verb, *database, *device, *file;
};

static int wrong(const char *why)
{
    fprintf(stderr, "cellwarden-vehicle: %s\n%s", why, usage);
    return 2;
}

static bool parse(int argc, char **argv, struct words *w)
{
    for (int i = 1; i < argc; i++) {
        const char **to = strcmp(argv[i], "--database") == 0 ? &w->database : strcmp(argv[i], "--device") == 0 ? &w->device : NULL;

        if (to != NULL && i + 1 < argc)
            *to = argv[++i];
        else if (argv[i][0] == '-' || w->file != NULL)
            return false;
        else if (w->verb == NULL)
            w->verb = argv[i];
        else
            w->file = argv[i];
    }
    return w->verb != NULL && w->file != NULL && w->database != NULL;
}

static void report(const char *device, const struct vehicle_counts *counts)
{
    printf("{\"device\":\"%s\",\"rows\":{", device);
    for (size_t t = 0; t < VEHICLE_TABLES; t++)
        printf("%s\"%s\":%llu", t > 0 ? "," : "", vehicle_table_name(t), (unsigned long long)counts->in_file[t]);
    printf("},\"new\":{");
    for (size_t t = 0; t < VEHICLE_TABLES; t++)
        printf("%s\"%s\":%llu", t > 0 ? "," : "", vehicle_table_name(t), (unsigned long long)counts->new_rows[t]);
    printf("}}\n");
}

/* Under another name until it is whole. */
static int export_to(struct db *db, const struct words *w, struct vehicle_counts *counts, char *why, size_t size)
{
    char part[4096];

    if (snprintf(part, sizeof part, "%s.part", w->file) >= (int)sizeof part) {
        snprintf(why, size, "the name of the file is too long");
        return BMS_ERR_RANGE;
    }
    FILE *f = fopen(part, "wb");

    if (f == NULL) {
        snprintf(why, size, "%.300s cannot be written", part);
        return BMS_ERR_IO;
    }
    int err = vehicle_export(db, w->device, f, counts, why, size);

    if ((fclose(f) != 0 || (!err && rename(part, w->file) != 0)) && !err) {
        snprintf(why, size, "%s cannot be written", w->file);
        err = BMS_ERR_IO;
    }
    if (err)
        remove(part);
    return err;
}

static int import_from(struct db *db, const struct words *w, char *device, struct vehicle_counts *counts, char *why, size_t size)
{
    struct db work;
    FILE *f = fopen(w->file, "rb");

    if (f == NULL) {
        snprintf(why, size, "%s cannot be read", w->file);
        return BMS_ERR_IO;
    }
    db_init(&work, w->database, "cellwarden-vehicle-days");
    int err = vehicle_import(db, &work, f, device, counts, why, size);

    db_close(&work);
    fclose(f);
    return err;
}

int main(int argc, char **argv)
{
    struct words w = { NULL, NULL, NULL, NULL };
    struct vehicle_counts counts;
    struct db db;
    char why[400] = "", device[DEVICE_NAME_MAX + 1] = "";

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!parse(argc, argv, &w))
        return wrong("export or import, --database and FILE are needed");
    bool out = strcmp(w.verb, "export") == 0;

    if ((!out && strcmp(w.verb, "import") != 0) || out != (w.device != NULL))
        return wrong("export takes --device, import takes it from the file; there is nothing else");
    db_init(&db, w.database, "cellwarden-vehicle");
    int err = out ? export_to(&db, &w, &counts, why, sizeof why) : import_from(&db, &w, device, &counts, why, sizeof why);

    db_close(&db);
    if (err)
        fprintf(stderr, "cellwarden-vehicle: %s\n", why);
    else
        report(out ? w.device : device, &counts);
    return err ? 1 : 0;
}
