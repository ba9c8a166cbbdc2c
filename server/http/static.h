/* SPDX-License-Identifier: Apache-2.0 */
/* static.h -- the console's files, from one folder.
 *
 * A file is opened by name below the folder and nowhere else: only letters, digits, '-', '_' and '.' in a segment, no segment that begins with a dot,
 * symbolic links are not followed. Names with a content hash never change and are cached for ever; all others are asked for again by ETag.
 * `x.br` and `x.gz` beside `x` are served to browsers that accept them. A path without a dot that is no file is a page of the console:
 * index.html answers it. Every answer carries the console's security headers.
 */
#ifndef SERVER_STATIC_H
#define SERVER_STATIC_H

#include "server/http/http.h"

#include <stdbool.h>

enum { STATIC_NAME_MAX = 200 };

struct static_files {
    int folder;        /* file descriptor; -1 = there is no console */
    const char *index; /* the file of every page; NULL = index.html. Borrowed */
};

/* "" means that there is no console: everything is 404. Returns 0 or BMS_ERR_IO. */
int static_open(struct static_files *files, const char *folder);
void static_close(struct static_files *files);

/* Answer a GET or HEAD of ex->path. */
void static_answer(const struct static_files *files, struct http_exchange *ex);

/* Pure parts, for the tests. Path to the name below the folder ("/" is "index.html"); false when there can be no such file. */
bool static_name(const char *path, char name[STATIC_NAME_MAX + 1]);

/* True for names with a hash of 8 or more letters and digits before the extension, as the build makes them: "index-BxQ3f_9a.js". */
bool static_is_immutable(const char *name);

const char *static_type(const char *name);

/* Whether the Accept-Encoding header allows `coding`; "br;q=0" does not. */
bool static_accepts(const char *header, const char *coding);

#endif
