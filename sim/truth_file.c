/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/truth_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/err.h"

enum { ENTRY_MAX = TRUTH_ENTRY_HEAD + 4 * PACK_CELLS_MAX + 2 * PACK_TEMPS_MAX };

static off_t entry_size(off_t cells, off_t temps)
{
    return TRUTH_ENTRY_HEAD + 4 * cells + 2 * temps;
}

/* Where the last whole entry ends. */
static off_t end_of_entries(int fd, off_t size)
{
    uint8_t head[TRUTH_ENTRY_HEAD];
    off_t at = TRUTH_HEAD;

    while (pread(fd, head, sizeof(head), at) == (ssize_t)sizeof(head)) {
        off_t next = at + entry_size(get_le16(head + 16), get_le16(head + 18));

        if (next > size)
            break;
        at = next;
    }
    return at;
}

static int prepare(int fd)
{
    char magic[TRUTH_HEAD];
    struct stat st;

    if (fstat(fd, &st) != 0)
        return BMS_ERR_IO;
    if (st.st_size == 0)
        return write(fd, TRUTH_MAGIC, TRUTH_HEAD) == TRUTH_HEAD ? BMS_ERR_OK : BMS_ERR_IO;
    if (pread(fd, magic, sizeof(magic), 0) != TRUTH_HEAD || memcmp(magic, TRUTH_MAGIC, TRUTH_HEAD) != 0)
        return BMS_ERR_CORRUPT;
    return ftruncate(fd, end_of_entries(fd, st.st_size)) == 0 ? BMS_ERR_OK : BMS_ERR_IO;
}

int truth_file_open(struct truth_file *t, const char *path)
{
    *t = (struct truth_file) { .fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600) };
    if (t->fd < 0)
        return BMS_ERR_IO;
    int err = prepare(t->fd);

    if (err)
        truth_file_close(t);
    return err;
}

int truth_file_append(struct truth_file *t, const struct sample *s, const uint16_t *world_mV)
{
    uint8_t entry[ENTRY_MAX];
    struct writer w = writer_of(entry, sizeof(entry));

    if (t->fd < 0)
        return BMS_ERR_OK;
    write_le32(&w, s->boot);
    write_le32(&w, s->no);
    write_le64(&w, s->utc_ms);
    write_le16(&w, s->cells);
    write_le16(&w, s->temps);
    for (unsigned i = 0; i < s->cells; i++)
        write_le16(&w, world_mV[i]);
    for (unsigned i = 0; i < s->cells; i++)
        write_le16(&w, s->cell_mV[i]);
    for (unsigned i = 0; i < s->temps; i++)
        write_le16(&w, (uint16_t)s->temp_ddegC[i]);
    if (w.bad || write(t->fd, entry, writer_used(&w)) != (ssize_t)writer_used(&w))
        return BMS_ERR_IO;
    t->entries++;
    return BMS_ERR_OK;
}

void truth_file_close(struct truth_file *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}
