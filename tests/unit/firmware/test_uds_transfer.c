/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <zlib.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "firmware/core/talk/uds.h"
#include "proto/catalogue.h"
#include "tests/unit/suite.h"

enum { SLOT = 4096, IMAGE = 3000, DATA_MAX = UDS_BLOCK_MAX - 2 };

static struct params params;
static struct sample ring[4];
static struct sampler sampler;
static struct stream stream;
static struct dtc_memory dtc;
static struct uds u;
static uint8_t out[UDS_RESPONSE_MAX], image[IMAGE], slot[SLOT];
static size_t n;
static unsigned writes;
static bool breaks; /* the slot's memory fails */

static void start(void)
{
    int32_t values[PARAMS];

    params_defaults(CHEMISTRY_NMC, values);
    params_init(&params, values);
    sampler_init(&sampler, ring, 4);
    stream_init(&stream);
    dtc_init(&dtc);
    uds_init(&u, &params, &sampler, &stream, &dtc);
    u.program.slot_size = SLOT;
    memset(slot, 0, sizeof(slot));
    writes = 0;
    breaks = false;
    for (unsigned i = 0; i < IMAGE; i++)
        image[i] = (uint8_t)(i * 7 + i / 256);
    put_le32(image, PROGRAM_MAGIC);
    put_le16(image + 8, PROGRAM_HEADER);
    put_le32(image + 12, IMAGE - PROGRAM_HEADER - 100);
}

/* What the application does with an order, in the step of the request; the answer comes in the next. */
static void obey(void)
{
    struct biu_slot_order o = u.order;

    u.order.what = BIU_SLOT_NOTHING;
    if (o.what == BIU_SLOT_ERASE && !breaks)
        memset(slot, 0xFF, sizeof(slot));
    if (o.what == BIU_SLOT_WRITE && !breaks) {
        memcpy(slot + o.offset, o.data, o.n);
        writes++;
    }
    if (o.what != BIU_SLOT_NOTHING)
        uds_slot_result(&u, breaks ? BIU_NVM_FAILED : BIU_NVM_DONE);
}

static void ask(const uint8_t *req, size_t len)
{
    memset(out, 0xEE, sizeof(out));
    n = uds_request(&u, req, len, out);
    if (uds_is_busy(&u)) {
        obey();
        n = uds_poll(&u, 10, BIU_NVM_IDLE, out);
    }
}
#define ASK(...) ask((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

static bool refused(uint8_t service, uint8_t nrc)
{
    return n == 3 && out[0] == UDS_NEGATIVE && out[1] == service && out[2] == nrc;
}

static void unlock(void)
{
    uint8_t req[6] = { 0x27, 0x02 };

    ASK(0x27, 0x01);
    put_be32(req + 2, uds_key(get_be32(out + 2)));
    ask(req, sizeof(req));
    CU_ASSERT_EQUAL(out[0], 0x67);
}

static void enter(void)
{
    ASK(0x10, 0x02);
    CU_ASSERT_EQUAL(out[0], 0x50);
    unlock();
}

static void announce(uint32_t address, uint32_t size)
{
    uint8_t req[11] = { 0x34, 0x00, 0x44 };

    put_be32(req + 3, address);
    put_be32(req + 7, size);
    ask(req, sizeof(req));
}

static void send(uint8_t counter, uint32_t from, size_t size)
{
    uint8_t req[UDS_BLOCK_MAX + 1] = { 0x36, counter };

    memcpy(req + 2, image + from, size);
    ask(req, 2 + size);
}

static void check(uint32_t crc)
{
    uint8_t req[8] = { 0x31, 0x01, 0xFF, 0x01 };

    put_be32(req + 4, crc);
    ask(req, sizeof(req));
}

static void erase(void)
{
    ASK(0x31, 0x01, 0xFF, 0x00);
    CU_ASSERT(n == 4 && get_be32(out) == 0x7101FF00);
}

static uint32_t verified(void)
{
    ASK(0x31, 0x01, 0x02, 0x08);
    CU_ASSERT_EQUAL(n, 16);
    CU_ASSERT_EQUAL(get_be32(out + 12), crc32c(0, image, get_be32(out + 8)));
    return get_be32(out + 8);
}

/* From `from` to the end, in blocks of `size`. */
static void send_rest(uint32_t from, size_t size)
{
    for (uint8_t counter = 1; from < IMAGE; counter++) {
        size_t some = IMAGE - from < size ? IMAGE - from : size;

        send(counter, from, some);
        CU_ASSERT(n == 2 && out[0] == 0x76 && out[1] == counter);
        from += (uint32_t)some;
    }
}

static void test_download(void)
{
    start();
    enter();
    erase();
    announce(0, IMAGE);
    CU_ASSERT(n == 4 && out[0] == 0x74 && out[1] == 0x20 && get_be16(out + 2) == UDS_BLOCK_MAX);
    send_rest(0, DATA_MAX);
    ASK(0x37);
    CU_ASSERT(n == 1 && out[0] == 0x77);
    CU_ASSERT_EQUAL(memcmp(slot, image, IMAGE), 0);
    CU_ASSERT_EQUAL(verified(), IMAGE);
    check(crc32c(0, image, IMAGE) ^ 1);
    CU_ASSERT(refused(0x31, UDS_NRC_PROGRAMMING));
    check(crc32c(0, image, IMAGE));
    CU_ASSERT(n == 5 && get_be32(out) == 0x7101FF01 && out[4] == 0);
}

static void test_counter_wraps(void)
{
    start();
    enter();
    erase();
    announce(0, IMAGE);
    send_rest(0, 10); /* 300 blocks: FF is followed by 00 */
    CU_ASSERT_EQUAL(verified(), IMAGE);
}

static void test_conditions(void)
{
    start();
    announce(0, IMAGE);
    CU_ASSERT(refused(0x34, UDS_NRC_NOT_IN_SESSION));
    ASK(0x31, 0x01, 0xFF, 0x00);
    CU_ASSERT(refused(0x31, UDS_NRC_RANGE));
    check(0);
    CU_ASSERT(refused(0x31, UDS_NRC_RANGE));
    ASK(0x10, 0x03);
    announce(0, IMAGE);
    CU_ASSERT(refused(0x34, UDS_NRC_NOT_IN_SESSION));
    CU_ASSERT_FALSE(uds_holds_contactors(&u));
    u.board.relays = BIU_RELAY_DISCHARGE;
    ASK(0x10, 0x02);
    CU_ASSERT(refused(0x10, UDS_NRC_CONDITIONS));
    u.board = (struct uds_board) { .feedback = BIU_RELAY_CHARGE };
    ASK(0x10, 0x02);
    CU_ASSERT(refused(0x10, UDS_NRC_CONDITIONS));
    CU_ASSERT_EQUAL(u.session, UDS_SESSION_EXTENDED);
    u.board.feedback = 0;
    ASK(0x10, 0x02);
    CU_ASSERT(uds_holds_contactors(&u));
    announce(0, IMAGE);
    CU_ASSERT(refused(0x34, UDS_NRC_SECURITY));
    ASK(0x31, 0x01, 0xFF, 0x00);
    CU_ASSERT(refused(0x31, UDS_NRC_SECURITY));
    unlock();
    announce(0, IMAGE);
    CU_ASSERT(refused(0x34, UDS_NRC_NOT_ACCEPTED)); /* erase first */
    u.board.feedback = BIU_RELAY_DISCHARGE;
    ASK(0x31, 0x01, 0xFF, 0x00);
    CU_ASSERT(refused(0x31, UDS_NRC_CONDITIONS));
    u.board.feedback = 0;
    erase();
    announce(0, IMAGE);
    u.board.feedback = BIU_RELAY_DISCHARGE;
    send(1, 0, 100);
    CU_ASSERT(refused(0x36, UDS_NRC_CONDITIONS));
    CU_ASSERT_EQUAL(writes, 0);
    u.program.slot_size = 0;
    ASK(0x31, 0x01, 0xFF, 0x00);
    CU_ASSERT(refused(0x31, UDS_NRC_RANGE));
}

static void test_formats(void)
{
    start();
    enter();
    erase();
    ASK(0x34, 0x00);
    CU_ASSERT(refused(0x34, UDS_NRC_LENGTH));
    ASK(0x34, 0x00, 0x44, 0, 0, 0, 0, 0, 0, 1);
    CU_ASSERT(refused(0x34, UDS_NRC_LENGTH));
    ASK(0x34, 0x10, 0x44, 0, 0, 0, 0, 0, 0, 1, 0);
    CU_ASSERT(refused(0x34, UDS_NRC_RANGE));
    ASK(0x34, 0x00, 0x22, 0, 0, 1, 0);
    CU_ASSERT(refused(0x34, UDS_NRC_RANGE));
    announce(0, PROGRAM_HEADER - 1);
    CU_ASSERT(refused(0x34, UDS_NRC_RANGE));
    announce(0, SLOT + 1);
    CU_ASSERT(refused(0x34, UDS_NRC_RANGE));
    announce(1, IMAGE);
    CU_ASSERT(refused(0x34, UDS_NRC_RANGE));
    announce(0, SLOT);
    CU_ASSERT_EQUAL(out[0], 0x74);
    announce(0, SLOT);
    CU_ASSERT(refused(0x34, UDS_NRC_CONDITIONS)); /* one is under way */
    ASK(0x37, 0x00);
    CU_ASSERT(refused(0x37, UDS_NRC_LENGTH));
    ASK(0x37);
    CU_ASSERT(refused(0x37, UDS_NRC_SEQUENCE)); /* not all is here */
    check(0);
    CU_ASSERT(refused(0x31, UDS_NRC_SEQUENCE));
    ASK(0x31, 0x01, 0xFF, 0x01, 0, 0, 0);
    CU_ASSERT(refused(0x31, UDS_NRC_LENGTH));
    ASK(0x31, 0x01, 0xFF, 0x00, 0);
    CU_ASSERT(refused(0x31, UDS_NRC_LENGTH));
}

static void test_block_counter(void)
{
    start();
    enter();
    send(1, 0, 100);
    CU_ASSERT(refused(0x36, UDS_NRC_SEQUENCE));
    erase();
    announce(0, IMAGE);
    send(0, 0, 100);
    CU_ASSERT(refused(0x36, UDS_NRC_BLOCK_COUNTER));
    send(2, 0, 100);
    CU_ASSERT(refused(0x36, UDS_NRC_BLOCK_COUNTER));
    ASK(0x36);
    CU_ASSERT(refused(0x36, UDS_NRC_LENGTH));
    ASK(0x36, 0x01);
    CU_ASSERT(refused(0x36, UDS_NRC_LENGTH));
    send(1, 0, UDS_BLOCK_MAX - 1);
    CU_ASSERT(refused(0x36, UDS_NRC_LENGTH));
    send(1, 0, 100);
    CU_ASSERT_EQUAL(n, 2);
    send(1, 0, 100); /* the answer was lost */
    CU_ASSERT(n == 2 && out[0] == 0x76 && out[1] == 1);
    CU_ASSERT_EQUAL(writes, 1);
    CU_ASSERT_EQUAL(verified(), 100);
    send(3, 100, 100);
    CU_ASSERT(refused(0x36, UDS_NRC_BLOCK_COUNTER));
    send(2, 100, 100);
    CU_ASSERT_EQUAL(verified(), 200);
}

static void test_more_than_announced(void)
{
    start();
    enter();
    erase();
    announce(0, 1000);
    send(1, 0, 400);
    CU_ASSERT(refused(0x36, UDS_NRC_RANGE)); /* the header says more */
    put_le32(image + 12, 900);
    announce(0, 1000);
    send(1, 0, 400);
    send(2, 400, 400);
    send(3, 800, 201);
    CU_ASSERT(refused(0x36, UDS_NRC_SUSPENDED));
    send(3, 800, 200);
    CU_ASSERT_EQUAL(verified(), 1000);
    send(4, 1000, 1);
    CU_ASSERT(refused(0x36, UDS_NRC_SUSPENDED));
}

static void test_header(void)
{
    start();
    put_le32(image, PROGRAM_MAGIC + 1);
    enter();
    erase();
    announce(0, IMAGE);
    send(1, 0, 500);
    CU_ASSERT(refused(0x36, UDS_NRC_RANGE));
    CU_ASSERT_EQUAL(writes, 0);
    send(1, 0, 500);
    CU_ASSERT(refused(0x36, UDS_NRC_SEQUENCE)); /* that download is over */
    put_le32(image, PROGRAM_MAGIC);
    announce(0, IMAGE); /* nothing was written: no need to erase */
    CU_ASSERT_EQUAL(out[0], 0x74);
    send(1, 0, 500);
    CU_ASSERT_EQUAL(verified(), 500);
    start();
    put_le16(image + 8, PROGRAM_HEADER - 1);
    enter();
    erase();
    announce(0, IMAGE);
    send(1, 0, 31); /* the header comes in two pieces */
    CU_ASSERT_EQUAL(n, 2);
    send(2, 31, 1);
    CU_ASSERT(refused(0x36, UDS_NRC_RANGE));
    announce(0, IMAGE);
    CU_ASSERT(refused(0x34, UDS_NRC_NOT_ACCEPTED)); /* what was written has to go */
}

static void test_interrupted_at_any_block(void)
{
    for (unsigned blocks = 0; blocks * 500 < IMAGE; blocks++) {
        start();
        enter();
        erase();
        announce(0, IMAGE);
        for (unsigned i = 0; i < blocks; i++)
            send((uint8_t)(i + 1), i * 500, 500);
        uds_poll(&u, UDS_S3_MS + 1, BIU_NVM_IDLE, out); /* the tester is gone */
        CU_ASSERT_EQUAL(u.session, UDS_SESSION_DEFAULT);
        send((uint8_t)(blocks + 1), blocks * 500, 500);
        CU_ASSERT(refused(0x36, UDS_NRC_SEQUENCE));
        enter();
        uint32_t at = verified();

        CU_ASSERT_EQUAL(at, blocks * 500);
        if (at) {
            announce(at - 1, IMAGE - at + 1);
            CU_ASSERT(refused(0x34, UDS_NRC_RANGE));
            announce(at, IMAGE - at + 1);
            CU_ASSERT(refused(0x34, UDS_NRC_RANGE));
        }
        announce(at, IMAGE - at);
        CU_ASSERT_EQUAL(out[0], 0x74);
        send_rest(at, DATA_MAX);
        check(crc32c(0, image, IMAGE));
        CU_ASSERT_EQUAL(n, 5);
        CU_ASSERT_EQUAL(memcmp(slot, image, IMAGE), 0);
    }
}

static void test_started_again(void)
{
    start();
    enter();
    erase();
    announce(0, IMAGE);
    send(1, 0, 500);
    ASK(0x10, 0x02);
    unlock();
    announce(0, IMAGE);
    CU_ASSERT(refused(0x34, UDS_NRC_RANGE)); /* from 500, or erased */
    erase();
    CU_ASSERT_EQUAL(verified(), 0);
    announce(0, IMAGE);
    send_rest(0, DATA_MAX);
    check(crc32c(0, image, IMAGE));
    CU_ASSERT_EQUAL(n, 5);
}

static void test_memory_fails(void)
{
    start();
    enter();
    erase();
    announce(0, IMAGE);
    send(1, 0, 500);
    breaks = true;
    send(2, 500, 500);
    CU_ASSERT(refused(0x36, UDS_NRC_PROGRAMMING));
    breaks = false;
    send(2, 500, 500);
    CU_ASSERT(refused(0x36, UDS_NRC_SEQUENCE));
    announce(500, IMAGE - 500);
    CU_ASSERT(refused(0x34, UDS_NRC_NOT_ACCEPTED));
    breaks = true;
    ASK(0x31, 0x01, 0xFF, 0x00);
    CU_ASSERT(refused(0x31, UDS_NRC_PROGRAMMING));
    breaks = false;
    announce(0, IMAGE);
    CU_ASSERT(refused(0x34, UDS_NRC_NOT_ACCEPTED));
}

static void test_slow_erase(void)
{
    unsigned pending = 0;
    uint32_t t = 0;

    start();
    enter();
    n = uds_request(&u, (const uint8_t[]) { 0x31, 0x01, 0xFF, 0x00 }, 4, out);
    for (; t < 20000; t += 10) {
        n = uds_poll(&u, 10, BIU_NVM_IDLE, out);
        pending += refused(0x31, UDS_NRC_PENDING);
    }
    CU_ASSERT_EQUAL(pending, 5); /* at 40 ms and then every 4 s, below P2* of 5 s */
    CU_ASSERT_EQUAL(u.session, UDS_SESSION_PROGRAMMING);
    for (; t < UDS_SLOT_MS; t += 10)
        n = uds_poll(&u, 10, BIU_NVM_IDLE, out);
    CU_ASSERT(refused(0x31, UDS_NRC_PROGRAMMING));
    ASK(0x31, 0x01, 0xFF, 0x00); /* the memory still works */
    CU_ASSERT(refused(0x31, UDS_NRC_BUSY));
    uds_slot_result(&u, BIU_NVM_DONE);
    erase();
}

static void ask_upload(uint32_t address, uint32_t size)
{
    uint8_t req[11] = { 0x35, 0x10, 0x44 };

    put_be32(req + 3, address);
    put_be32(req + 7, size);
    ask(req, sizeof(req));
}

static void test_catalogue(void)
{
    static uint8_t packed[32768], plain[1 << 18];
    size_t got = 0;
    uLongf plain_n = sizeof(plain);

    start();
    ASK(0x22, 0x10, 0x11);
    uint32_t size = get_be32(out + 7);

    CU_ASSERT(n == 15 && get_be32(out + 3) == board_catalogue.hash && size == board_catalogue.packed_size);
    CU_ASSERT_FATAL(size <= sizeof(packed));
    ask_upload(UDS_MEMORY_CATALOGUE, size);
    CU_ASSERT(n == 4 && out[0] == 0x75 && get_be16(out + 2) == UDS_RESPONSE_MAX);
    for (uint8_t counter = 1; got < size; counter++) {
        ASK(0x36, counter);
        CU_ASSERT(n > 2 && out[0] == 0x76 && out[1] == counter);
        ASK(0x36, counter); /* once more: the same bytes */
        memcpy(packed + got, out + 2, n - 2);
        got += n - 2;
        ASK(0x36, (uint8_t)(counter + 2));
        CU_ASSERT(refused(0x36, UDS_NRC_BLOCK_COUNTER));
    }
    ASK(0x37);
    CU_ASSERT_EQUAL(out[0], 0x77);
    CU_ASSERT_EQUAL(uncompress(plain, &plain_n, packed, size), Z_OK);
    CU_ASSERT_EQUAL(plain_n, board_catalogue.plain_size);
    CU_ASSERT_EQUAL(memcmp(plain, "{\"hash\":\"", 9), 0);
}

static void test_upload_refusals(void)
{
    uint32_t size = board_catalogue.packed_size;

    start();
    ask_upload(UDS_MEMORY_CATALOGUE, size + 1);
    CU_ASSERT(refused(0x35, UDS_NRC_RANGE));
    ask_upload(UDS_MEMORY_CATALOGUE, 0);
    CU_ASSERT(refused(0x35, UDS_NRC_RANGE));
    ask_upload(UDS_MEMORY_CATALOGUE + size, 1);
    CU_ASSERT(refused(0x35, UDS_NRC_RANGE));
    ask_upload(0, 16); /* programs are not given out */
    CU_ASSERT(refused(0x35, UDS_NRC_RANGE));
    ASK(0x35, 0x00, 0x44, 0x80, 0, 0, 0, 0, 0, 0, 1);
    CU_ASSERT(refused(0x35, UDS_NRC_RANGE));
    ASK(0x35, 0x10);
    CU_ASSERT(refused(0x35, UDS_NRC_LENGTH));
    ASK(0x36, 0x01);
    CU_ASSERT(refused(0x36, UDS_NRC_SEQUENCE));
    ask_upload(UDS_MEMORY_CATALOGUE + size - 1, 1);
    ASK(0x36, 0x01, 0x00);
    CU_ASSERT(refused(0x36, UDS_NRC_LENGTH));
    ASK(0x36, 0x01);
    CU_ASSERT(n == 3 && out[2] == board_catalogue.packed[size - 1]);
    ASK(0x36, 0x02);
    CU_ASSERT(refused(0x36, UDS_NRC_SEQUENCE));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a program comes into the slot block by block and its CRC is checked [UC-7, FL-6]", test_download },
        { "the block counter goes from FF to 00", test_counter_wraps },
        { "programming wants its session, the key and open contactors [UC-7]", test_conditions },
        { "lengths, formats, addresses and sizes of 34", test_formats },
        { "a repeated block is answered and not written again, another counter is refused with 73", test_block_counter },
        { "more than announced is refused with 71", test_more_than_announced },
        { "what has no header of a program is refused, before it is written [FL-6]", test_header },
        { "a download that stops at any block goes on where it stopped [FL-6]", test_interrupted_at_any_block },
        { "a download can be started again after an erase", test_started_again },
        { "a memory that fails ends the download; only an erase helps", test_memory_fails },
        { "a slow erase tells pending in time, and ends", test_slow_erase },
        { "the board hands out its own tables [UC-3]", test_catalogue },
        { "35 gives out nothing else", test_upload_refusals },
        CU_TEST_INFO_NULL,
    };

    return suite_run("uds_transfer", tests);
}
