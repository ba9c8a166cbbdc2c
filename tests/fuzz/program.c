/* SPDX-License-Identifier: Apache-2.0 */
/* A programming session with requests of up to UDS_BLOCK_MAX bytes, and a slot whose writes succeed, fail or take long. Each turn of the input: how
 * (1), length (2), bytes. Nothing may be written outside the slot or before an erase, and an image counts as right only when the slot holds it.
 *
 *   how, bits 0-1: 0 and 1 any request, 2 a block with the right counter, 3 the check with the right CRC; bits 2-3: how the slot's order ends;
 *   bit 4: the session times out before, and the tester begins another
 */
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "firmware/core/talk/uds_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { SLOT = 4096, ENDS_BAD = 2, ENDS_LATE = 3, POLLS = 3 };

static struct tester {
    struct uds u;
    struct params params;
    struct sampler sampler;
    struct stream stream;
    struct dtc_memory dtc;
    struct sample ring[4];
    uint8_t slot[SLOT], request[UDS_BLOCK_MAX], out[UDS_RESPONSE_MAX];
    uint32_t written; /* from the start on, since the slot was erased */
    bool erased;
} t;

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What the board does with an order; a write that fails leaves anything. */
static enum biu_nvm obey(bool good)
{
    struct biu_slot_order o = t.u.order;

    t.u.order.what = BIU_SLOT_NOTHING;
    if (o.what == BIU_SLOT_NOTHING)
        return BIU_NVM_IDLE;
    must(t.u.session == UDS_SESSION_PROGRAMMING && t.u.unlocked);
    if (o.what == BIU_SLOT_ERASE) {
        memset(t.slot, 0xFF, sizeof(t.slot));
        t.erased = good;
        t.written = 0;
    } else {
        must(t.erased && o.offset == t.written && o.n > 0 && o.n <= SLOT - o.offset);
        must(o.data >= t.request && o.n <= (size_t)(t.request + sizeof(t.request) - o.data));
        memcpy(t.slot + o.offset, o.data, good ? o.n : o.n / 2);
        t.written += good ? (uint32_t)o.n : 0;
        t.erased = good;
    }
    return good ? BIU_NVM_DONE : BIU_NVM_FAILED;
}

static size_t ask(size_t n, unsigned ends)
{
    size_t answer = uds_request(&t.u, t.request, n, t.out);
    enum biu_nvm result = obey(ends != ENDS_BAD);

    for (unsigned i = 0; i < POLLS && uds_is_busy(&t.u); i++) {
        if (ends != ENDS_LATE || i + 1 == POLLS) {
            uds_slot_result(&t.u, result);
            result = BIU_NVM_IDLE;
        }
        answer = uds_poll(&t.u, 10, BIU_NVM_DONE, t.out);
        must(answer <= sizeof(t.out));
    }
    uds_slot_result(&t.u, result);
    must(answer <= sizeof(t.out));
    return answer;
}

/* Refused for a while after wrong keys. */
static void unlock(void)
{
    memcpy(t.request, (const uint8_t[]) { UDS_SESSION, UDS_SESSION_PROGRAMMING }, 2);
    (void)ask(2, 0);
    memcpy(t.request, (const uint8_t[]) { UDS_SECURITY, 1 }, 2);
    if (ask(2, 0) != 6)
        return;
    t.request[1] = 2;
    put_be32(t.request + 2, uds_key(get_be32(t.out + 2)));
    must(ask(6, 0) == 2 && t.u.unlocked);
}

static void start(void)
{
    int32_t values[PARAMS];

    memset(&t, 0, sizeof(t));
    params_defaults(CHEMISTRY_NMC, values);
    params_init(&t.params, values);
    sampler_init(&t.sampler, t.ring, 4);
    stream_init(&t.stream);
    dtc_init(&t.dtc);
    uds_init(&t.u, &t.params, &t.sampler, &t.stream, &t.dtc);
    t.u.program.slot_size = SLOT;
    unlock();
    must(t.u.unlocked);
}

static size_t compose(struct reader *in, unsigned kind)
{
    size_t size = read_le16(in) % (UDS_BLOCK_MAX + 1), left = reader_left(in), n = size < left ? size : left;

    if (n)
        memcpy(t.request, read_bytes(in, n), n);
    if (kind == 2 && n >= 2) {
        t.request[0] = UDS_TRANSFER_DATA;
        t.request[1] = (uint8_t)(t.u.block + 1);
    }
    if (kind == 3) {
        memcpy(t.request, (const uint8_t[]) { UDS_ROUTINE, 1, 0xFF, 0x01 }, 4);
        put_be32(t.request + 4, crc32c(0, t.slot, t.written));
        return 8;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct reader in = reader_of(data, n);

    start();
    while (reader_left(&in) > 2) {
        unsigned how = read_u8(&in);

        if (how & 16u && !uds_is_busy(&t.u)) {
            (void)uds_poll(&t.u, UDS_S3_MS + 1, BIU_NVM_IDLE, t.out);
            must(t.u.session == UDS_SESSION_DEFAULT && !t.u.unlocked);
            unlock();
        }
        size_t size = compose(&in, how & 3u);

        if (size == 0 || uds_is_busy(&t.u))
            continue;
        size_t answer = ask(size, how >> 2 & 3u);
        bool is_right = answer == 5 && memcmp(t.out, (const uint8_t[]) { UDS_ROUTINE + UDS_ANSWER, 1, 0xFF, 0x01, 0 }, 5) == 0;
        const struct program *p = &t.u.program;

        must(p->verified <= p->size && p->size <= SLOT && (!p->verified || p->verified == t.written));
        if (is_right) {
            must(t.written == p->size && get_le32(t.slot) == PROGRAM_MAGIC);
            must(get_be32(t.request + 4) == crc32c(0, t.slot, p->size));
        }
    }
    return 0;
}
