/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.c -- see catalogue.h. */
#include "server/api/catalogue.h"

#include "common/err.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CATALOGUE_MAX (4u << 20) /* bytes */

static long file_size(FILE *f)
{
    long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;

    return fseek(f, 0, SEEK_SET) == 0 ? size : -1;
}

int catalogue_read(struct catalogue *catalogue, const char *path)
{
    unsigned char hash[16];
    char text[33];

    if (path[0] == '\0')
        return 0;
    FILE *f = fopen(path, "rb");
    long size = f == NULL ? -1 : file_size(f);

    if (size > 0 && size <= (long)CATALOGUE_MAX)
        catalogue->bytes = malloc((size_t)size);
    if (catalogue->bytes != NULL && fread(catalogue->bytes, 1, (size_t)size, f) == (size_t)size)
        catalogue->len = (size_t)size;
    if (f != NULL)
        fclose(f);
    if (catalogue->len == 0)
        return BMS_ERR_IO;
    crypto_generichash(hash, sizeof hash, (const unsigned char *)catalogue->bytes, catalogue->len, NULL, 0);
    snprintf(catalogue->etag, sizeof catalogue->etag, "\"%s\"", sodium_bin2hex(text, sizeof text, hash, sizeof hash));
    return 0;
}

void catalogue_answer(const struct catalogue *catalogue, struct http_exchange *ex)
{
    const char *seen = http_header(ex, "If-None-Match");

    if (catalogue->bytes == NULL) {
        http_problem(ex, 503, "no_catalogue", NULL, "the server was started without a catalogue");
        return;
    }
    bool same = seen != NULL && strstr(seen, catalogue->etag) != NULL;

    ex->status = same ? 304 : 200;
    ex->etag = catalogue->etag;
    if (!same)
        jsonw_raw(&ex->out, catalogue->bytes, catalogue->len);
}
