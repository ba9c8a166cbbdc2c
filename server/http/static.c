/* SPDX-License-Identifier: Apache-2.0 */
/* static.c -- see static.h. */
#include "server/http/static.h"

#include "common/err.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_MIN 8u
#define INDEX    "index.html"

static const struct {
    const char *name, *value;
} security[] = {
    { "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src "
                                 "'self'; manifest-src 'self'; "
                                 "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
};

static const struct {
    const char *extension, *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".json", "application/json" },
    { ".svg", "image/svg+xml" },
    { ".png", "image/png" },
    { ".ico", "image/x-icon" },
    { ".webmanifest", "application/manifest+json" },
    { ".txt", "text/plain; charset=utf-8" },
    { ".map", "application/json" },
    { ".woff2", "font/woff2" },
};

static const struct {
    const char *coding, *extension;
} codings[] = { { "br", ".br" }, { "gzip", ".gz" }, { NULL, "" } };

int static_open(struct static_files *files, const char *folder)
{
    files->folder = -1;
    if (folder[0] == '\0')
        return 0;
    files->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return files->folder < 0 ? BMS_ERR_IO : 0;
}

void static_close(struct static_files *files)
{
    if (files->folder >= 0)
        close(files->folder);
    files->folder = -1;
}

static bool segment_is_safe(const char *segment, size_t len)
{
    if (len == 0 || segment[0] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)segment[i];

        if (c > 127 || (!isalnum(c) && c != '-' && c != '_' && c != '.'))
            return false;
    }
    return true;
}

bool static_name(const char *path, char name[STATIC_NAME_MAX + 1])
{
    if (strcmp(path, "/") == 0)
        path = "/" INDEX;
    if (path[0] != '/' || strlen(path + 1) > STATIC_NAME_MAX)
        return false;
    for (const char *at = path; *at == '/';) {
        size_t len = strcspn(++at, "/");

        if (!segment_is_safe(at, len))
            return false;
        at += len;
    }
    snprintf(name, STATIC_NAME_MAX + 1, "%s", path + 1);
    return true;
}

bool static_is_immutable(const char *name)
{
    const char *base = strrchr(name, '/');
    const char *dot = strchr(base == NULL ? name : base, '.');
    size_t hash = 0;
    bool digit_or_capital = false;

    base = base == NULL ? name : base + 1;
    if (dot == NULL)
        return false;
    for (const char *at = dot; at > base && (isalnum((unsigned char)at[-1]) || at[-1] == '_'); at--) {
        digit_or_capital = digit_or_capital || isdigit((unsigned char)at[-1]) || isupper((unsigned char)at[-1]);
        hash++;
        if (at - 1 > base && at[-2] == '-')
            return hash >= HASH_MIN && digit_or_capital;
    }
    return false;
}

const char *static_type(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].extension, dot) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

bool static_accepts(const char *header, const char *coding)
{
    size_t len = strlen(coding);

    while (header != NULL && *header != '\0') {
        header += strspn(header, ", \t");
        size_t item = strcspn(header, ",");

        if (item >= len && strncmp(header, coding, len) == 0 && (item == len || strchr("; \t", header[len]) != NULL)) {
            const char *q = strstr(header, "q=");

            return q == NULL || q >= header + item || strtod(q + 2, NULL) > 0.0;
        }
        header += item;
    }
    return false;
}

/* Open `name` below the folder; every step refuses symbolic links. Returns a descriptor of a regular file, or -1. */
static int open_below(int folder, const char *name, struct stat *st)
{
    char part[STATIC_NAME_MAX + 1];
    int at = dup(folder);

    for (const char *slash = strchr(name, '/'); at >= 0 && slash != NULL; slash = strchr(name, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
        int next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        close(at);
        at = next;
        name = slash + 1;
    }
    if (at < 0)
        return -1;
    int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    close(at);
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The smallest form that the browser takes. Returns the descriptor and the coding's index, or -1. */
static int open_coded(int folder, const char *name, const char *accept, struct stat *st, size_t *coding)
{
    char coded[STATIC_NAME_MAX + 8];

    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        if (codings[i].coding != NULL && !static_accepts(accept, codings[i].coding))
            continue;
        snprintf(coded, sizeof coded, "%s%s", name, codings[i].extension);
        int fd = open_below(folder, coded, st);

        if (fd >= 0) {
            *coding = i;
            return fd;
        }
    }
    return -1;
}

static void add_headers(const struct http_exchange *ex, struct MHD_Response *r, const char *name, const char *etag, size_t coding)
{
    const char *proto = http_header(ex, "X-Forwarded-Proto");

    for (size_t i = 0; i < sizeof security / sizeof security[0]; i++)
        MHD_add_response_header(r, security[i].name, security[i].value);
    MHD_add_response_header(r, "Content-Type", static_type(name));
    MHD_add_response_header(r, "Cache-Control", static_is_immutable(name) ? "public, max-age=31536000, immutable" : "no-cache");
    MHD_add_response_header(r, "Vary", "Accept-Encoding");
    MHD_add_response_header(r, "ETag", etag);
    if (proto != NULL && strcmp(proto, "https") == 0)
        MHD_add_response_header(r, "Strict-Transport-Security", "max-age=31536000");
    if (codings[coding].coding != NULL)
        MHD_add_response_header(r, "Content-Encoding", codings[coding].coding);
}

/* Takes the descriptor. */
static void answer_file(struct http_exchange *ex, const char *name, int fd, const struct stat *st, size_t coding)
{
    char etag[64];
    const char *seen = http_header(ex, "If-None-Match");

    snprintf(etag, sizeof etag, "\"%llx-%llx-%s\"",
             (unsigned long long)st->st_mtim.tv_sec * 1000000000u + (unsigned long long)st->st_mtim.tv_nsec,
             (unsigned long long)st->st_size, codings[coding].extension);
    if (seen != NULL && strstr(seen, etag) != NULL) {
        close(fd);
        ex->status = 304;
        ex->response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    } else {
        ex->status = 200;
        ex->response = MHD_create_response_from_fd64((uint64_t)st->st_size, fd);
        if (ex->response == NULL)
            close(fd);
    }
    if (ex->response == NULL)
        http_problem(ex, 500, "internal", NULL, "the file cannot be sent");
    else
        add_headers(ex, ex->response, name, etag, coding);
}

void static_answer(const struct static_files *files, struct http_exchange *ex)
{
    char name[STATIC_NAME_MAX + 1];
    const char *accept = http_header(ex, "Accept-Encoding");
    struct stat st;
    size_t coding = 0;
    int fd = -1;

    if (files->folder >= 0 && static_name(ex->path, name) && strcmp(name, INDEX) != 0)
        fd = open_coded(files->folder, name, accept, &st, &coding);
    if (fd < 0 && files->folder >= 0 && strstr(ex->path, "..") == NULL) {
        /* A page: its last segment has no dot, or it belongs to a vehicle, whose id has one. */
        const char *last = strrchr(ex->path, '/');

        if (strncmp(ex->path, "/v/", 3) == 0 || last == NULL || strcmp(last, "/" INDEX) == 0 || strchr(last, '.') == NULL) {
            snprintf(name, sizeof name, "%s", files->index == NULL ? INDEX : files->index);
            fd = open_coded(files->folder, name, accept, &st, &coding);
        }
    }
    if (fd < 0)
        http_problem(ex, 404, "not_found", NULL, "there is nothing at this path");
    else
        answer_file(ex, name, fd, &st, coding);
}
