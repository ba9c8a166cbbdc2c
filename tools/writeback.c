/* SPDX-License-Identifier: Apache-2.0 */
/* cellwarden-writeback --data DIR -- has the kernel write a database's new pages as they come, instead of 30 s of them at once.
 *
 * PostgreSQL 15 makes a table longer by writing empty pages, and the kernel keeps those until they are 30 s old (vm.dirty_expire_centisecs). Under a steady
 * load that is a burst of 150 MB each half minute, and while it goes out the write-ahead log waits: nobody commits for 0.3 to 0.5 s. This process looks at
 * the files of tables and indexes that changed lately, several times a second, and has their writing begun (sync_file_range(2), SYNC_FILE_RANGE_WRITE).
 *
 * As root it becomes the owner of the folder. It writes nothing itself, waits for nothing, opens for reading only and forces no commit of the file system's journal. A write that fails stays for
 * PostgreSQL's own fsync() to find: beginning a write does not take notice of an error (fs/sync.c, ksys_sync_file_range()). Linux only.
 */
#define _GNU_SOURCE /* sync_file_range */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "server/log.h"

enum { EXIT_USAGE = 2, FILES_MAX = 1024, LOOK_MS = 5000, ACTIVE_S = 30, EVERY_MIN_MS = 50, EVERY_MAX_MS = 10000, EVERY_MS = 250 };

struct file {
    struct timespec changed; /* as of the last time its writing was begun */
    char *path;              /* owned */
};

struct writeback {
    const char *data; /* the cluster's folder */
    long every_ms;
    bool once;
    struct file file[FILES_MAX]; /* that changed lately */
    size_t files;
    unsigned long long begun;
};

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number)
{
    (void)number;
    stop_wanted = 1;
}

static void forget_files(struct writeback *w)
{
    while (w->files > 0)
        free(w->file[--w->files].path);
}

static const struct file *find(const struct file *file, size_t files, const char *path)
{
    for (size_t i = 0; i < files; i++)
        if (strcmp(file[i].path, path) == 0)
            return &file[i];
    return NULL;
}

/* Files that changed within ACTIVE_S, of tables in the default tablespace and in others; FILES_MAX of them. What is known of one stays known. */
static int look(struct writeback *w)
{
    char base[PATH_MAX], others[PATH_MAX];
    char *roots[] = { base, others, NULL };
    struct file known[FILES_MAX];
    size_t count = w->files;
    time_t from = time(NULL) - ACTIVE_S;
    const FTSENT *e;

    snprintf(base, sizeof base, "%s/base", w->data);
    snprintf(others, sizeof others, "%s/pg_tblspc", w->data);
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);

    if (!tree)
        return -1;
    memcpy(known, w->file, count * sizeof *known);
    w->files = 0;
    while ((e = fts_read(tree)) != NULL && w->files < FILES_MAX) {
        if (e->fts_info != FTS_F || e->fts_statp->st_mtime < from)
            continue;
        const struct file *before = find(known, count, e->fts_path);
        char *path = strdup(e->fts_path);

        if (!path)
            break;
        w->file[w->files++] = (struct file) { before ? before->changed : (struct timespec) { 0 }, path };
    }
    fts_close(tree);
    for (size_t i = 0; i < count; i++)
        free(known[i].path);
    return 0;
}

/* One that is gone, or cannot be opened any more, is none of our business: the next look leaves it out. */
static void begin_write(struct writeback *w, struct file *file)
{
    struct stat now;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return;
    bool changed = fstat(fd, &now) == 0 && S_ISREG(now.st_mode) &&
                   (now.st_mtim.tv_sec != file->changed.tv_sec || now.st_mtim.tv_nsec != file->changed.tv_nsec);

    if (changed && sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) == 0) {
        file->changed = now.st_mtim;
        w->begun++;
        if (w->once)
            puts(file->path);
    }
    close(fd);
}

static void run(struct writeback *w)
{
    struct timespec nap = { .tv_sec = w->every_ms / 1000, .tv_nsec = w->every_ms % 1000 * 1000000 };

    for (long since_ms = LOOK_MS; !stop_wanted; since_ms += w->every_ms) {
        if (since_ms >= LOOK_MS) {
            if (look(w) != 0)
                log_warn("writeback", "cannot look into it", "folder=%s why='%s'", w->data, strerror(errno));
            since_ms = 0;
        }
        for (size_t i = 0; i < w->files; i++)
            begin_write(w, &w->file[i]);
        if (w->once)
            return;
        nanosleep(&nap, NULL);
    }
}

static void usage(FILE *out)
{
    fprintf(out,
            "usage: cellwarden-writeback --data DIR [--every-ms N] [--once]\n"
            "Has the kernel write the new pages of a PostgreSQL cluster as they come. As root it becomes their owner.\n"
            "  --data DIR     the cluster's folder (PGDATA)\n"
            "  --every-ms N   how often, %d to %d (default %d)\n"
            "  --once         once, and name each file whose writing was begun\n",
            EVERY_MIN_MS, EVERY_MAX_MS, EVERY_MS);
}

/* 0, or the exit status for what is wrong; -1 for --help. */
static int read_options(struct writeback *w, int argc, char *argv[])
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' },
                                             { "every-ms", required_argument, NULL, 'e' },
                                             { "once", no_argument, NULL, 'o' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    bool known = true;
    char *end = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h') {
            usage(stdout);
            return -1;
        }
        if (c == 'd')
            w->data = optarg;
        else if (c == 'e')
            w->every_ms = strtol(optarg, &end, 10);
        else if (c == 'o')
            w->once = true;
        else
            known = false; /* getopt_long() has named it */
    }
    bool in_range = w->every_ms >= EVERY_MIN_MS && w->every_ms <= EVERY_MAX_MS && (!end || *end == '\0');

    if (w->data && known && optind == argc && in_range)
        return 0;
    usage(stderr);
    return EXIT_USAGE;
}

static bool is_cluster(const char *folder)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/PG_VERSION", folder) < (int)sizeof path && access(path, R_OK) == 0;
}

/* Root becomes the owner of the cluster, whose files are all it needs. */
static bool drop_root(const char *folder)
{
    struct stat s;

    if (geteuid() != 0)
        return true;
    return stat(folder, &s) == 0 && setgroups(1, &s.st_gid) == 0 && setgid(s.st_gid) == 0 && setuid(s.st_uid) == 0;
}

int main(int argc, char *argv[])
{
    static struct writeback w = { .every_ms = EVERY_MS };
    struct sigaction stop = { .sa_handler = on_signal };
    int status = read_options(&w, argc, argv);

    if (status || !w.data)
        return status > 0 ? status : EXIT_SUCCESS;
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    if (!drop_root(w.data) || !is_cluster(w.data)) {
        log_error("writeback", "no database cluster that can be read", "folder=%s", w.data);
        return EXIT_FAILURE;
    }
    if (!w.once)
        log_info("writeback", "started", "folder=%s every_ms=%ld", w.data, w.every_ms);
    run(&w);
    if (!w.once)
        log_info("writeback", "stopped", "begun=%llu", w.begun);
    forget_files(&w);
    return EXIT_SUCCESS;
}
