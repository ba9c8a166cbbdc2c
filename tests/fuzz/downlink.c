/* SPDX-License-Identifier: Apache-2.0 */
/* What comes down to a DTU: the first byte chooses `down/cmd` or `down/ack`, the rest is the payload. */
#include <stdlib.h>
#include <string.h>

#include "dtu/core/downlink.h"
#include "dtu/core/uplink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FLASH = 3 * 512 };

static uint8_t flash[FLASH];

static int erase(void *ctx, uint32_t sector)
{
    (void)ctx;
    memset(flash + sector * 512, 0xFF, 512);
    return 0;
}

static int program(void *ctx, uint32_t address, const uint8_t *bytes, uint32_t n)
{
    (void)ctx;
    memcpy(flash + address, bytes, n);
    return 0;
}

static int read_back(void *ctx, uint32_t address, uint8_t *out, uint32_t n)
{
    (void)ctx;
    memcpy(out, flash + address, n);
    return 0;
}

static int sync_nothing(void *ctx)
{
    (void)ctx;
    return 0;
}

static int publish(void *ctx, const uint8_t *payload, size_t n, uint32_t token)
{
    (void)ctx, (void)payload, (void)n, (void)token;
    return 0;
}

static void acknowledge(const uint8_t *data, size_t size)
{
    static uint8_t buffer[2][RECORD_MAX];
    static struct uplink up;
    struct flash_port port = { NULL, { 512, 3, 4 }, erase, program, read_back, sync_nothing };
    struct uplink_port client = { NULL, publish };
    struct journal_sector index[3];
    struct journal_note note = { 1, 1, 0 };
    struct journal j;

    journal_format(&j, &port, index, 3, 0x3132333435363738u);
    for (int i = 0; i < 6; i++)
        journal_append(&j, (const uint8_t *)"record", 6, &note);
    journal_sync(&j);
    uplink_init(&up, &j, &client, buffer, 2);
    uplink_step(&up, 1);
    int freed = uplink_ack(&up, data, size, 2);

    if (freed > 6 || (freed > 0 && j.unacked != 6 - (uint32_t)freed))
        abort();
}

static void command(const uint8_t *data, size_t size)
{
    static struct downlink dl;
    uint8_t request[UDS_REQUEST_MAX];
    const uint8_t *bytes;
    size_t n;

    downlink_init(&dl, "a.b");
    downlink_command(&dl, data, size, 1, 1000);
    for (int i = 0; i < 1000 && downlink_request(&dl, request, 1, 1000) > 0; i++)
        downlink_outcome(&dl, i % 2 ? UDS_SILENT : UDS_REFUSED, NULL, 0, UDS_NRC_RANGE, 1);
    if (downlink_result(&dl, &bytes, &n) >= 0 && n > DOWNLINK_RESULT_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] % 2)
        acknowledge(data + 1, size - 1);
    else if (size > 0)
        command(data + 1, size - 1);
    return 0;
}
