/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* pseudo-terminals */

#include "sim/pty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "common/err.h"

static int make_terminal(int *master, int *slave)
{
    struct termios line;

    *slave = -1;
    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*master < 0)
        return BMS_ERR_IO;
    if (grantpt(*master) == 0 && unlockpt(*master) == 0)
        *slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave >= 0 && tcgetattr(*slave, &line) == 0) {
        line.c_iflag = 0;
        line.c_oflag = 0;
        line.c_lflag = 0;
        line.c_cflag = CS8 | CREAD | CLOCAL;
        if (tcsetattr(*slave, TCSANOW, &line) == 0 && fcntl(*master, F_SETFL, O_NONBLOCK) == 0)
            return BMS_ERR_OK;
    }
    return BMS_ERR_IO;
}

static int make_link(const char *target, const char *link)
{
    struct stat st;
    size_t n = strlen(link);

    if (n == 0 || n >= PTY_PATH_MAX)
        return BMS_ERR_RANGE;
    if (lstat(link, &st) == 0) {
        if (!S_ISLNK(st.st_mode))
            return BMS_ERR_STATE;
        unlink(link);
    }
    return symlink(target, link) == 0 ? BMS_ERR_OK : BMS_ERR_IO;
}

int pty_open(const char *link, int *master, int *slave)
{
    int err = make_terminal(master, slave);

    if (!err)
        err = make_link(ptsname(*master), link);
    if (!err)
        return BMS_ERR_OK;
    if (*slave >= 0)
        close(*slave);
    if (*master >= 0)
        close(*master);
    *master = *slave = -1;
    return err;
}
