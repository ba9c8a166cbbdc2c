/* SPDX-License-Identifier: Apache-2.0 */
/* test_uplink.c -- a record is published until the server has it, whatever the broker says. */
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "common/bytes.h"
#include "common/err.h"
#include "dtu/core/uplink.h"
#include "flash_ram.h"

static struct journal journal;
static struct journal_sector index_of[64];
static struct flash_ram flash;
static struct uplink up;
static uint8_t buffers[4][RECORD_MAX];

static struct { /* the client: what it was given, in order */
    uint64_t seq[4096];
    uint32_t token[4096];
    size_t n, done; /* done: given back */
    bool full;
} wire;

static int publish(void *ctx, const uint8_t *payload, size_t n, uint32_t token)
{
    (void)ctx;
    if (wire.full)
        return BMS_ERR_NOSPACE;
    CU_ASSERT_FATAL(wire.n < 4096 && n == 40);
    wire.seq[wire.n] = get_le64(payload);
    wire.token[wire.n++] = token;
    return BMS_ERR_OK;
}

static void append(unsigned n)
{
    uint8_t bytes[40] = { 0 };
    struct journal_note note = { 1, 1, 0 };

    for (unsigned i = 0; i < n; i++) {
        put_le64(bytes, journal.next_seq);
        CU_ASSERT_EQUAL(journal_append(&journal, bytes, sizeof(bytes), &note), BMS_ERR_OK);
    }
    journal_sync(&journal);
}

static void begin(unsigned records)
{
    struct uplink_port port = { NULL, publish };

    memset(&wire, 0, sizeof(wire));
    flash_ram_init(&flash, 4096, 64, 4);
    CU_ASSERT_EQUAL_FATAL(journal_format(&journal, &flash.port, index_of, 64, 0xABCD), BMS_ERR_OK);
    append(records);
    CU_ASSERT_EQUAL_FATAL(uplink_init(&up, &journal, &port, buffers, 4), BMS_ERR_OK);
    uplink_connected(&up, 1000);
}

static void end(void)
{
    flash_ram_free(&flash);
}

/* The broker takes all that is on the wire; goes on until nothing more comes. */
static void pump(uint32_t now_ms)
{
    size_t before;

    do {
        before = wire.n;
        uplink_step(&up, now_ms);
        for (; wire.done < wire.n; wire.done++)
            uplink_published(&up, wire.token[wire.done], true);
    } while (wire.n > before);
}

static size_t ack_bytes(uint8_t *out, uint64_t epoch, uint64_t first, uint64_t last, bool packed)
{
    struct writer w = writer_of(out, 64);

    write_u8(&w, 0x08);
    write_u8(&w, 1);
    write_u8(&w, 0x11);
    write_le64(&w, epoch);
    for (unsigned field = 3; field <= 4; field++) {
        uint8_t number[10];
        struct writer v = writer_of(number, sizeof(number));

        write_varint(&v, field == 3 ? first : last);
        write_u8(&w, (uint8_t)(field << 3 | (packed ? 2u : 0u)));
        if (packed)
            write_u8(&w, (uint8_t)writer_used(&v));
        write_bytes(&w, number, writer_used(&v));
    }
    return writer_used(&w);
}

static int ack(uint64_t epoch, uint64_t first, uint64_t last, uint32_t now_ms)
{
    uint8_t bytes[64];

    return uplink_ack(&up, bytes, ack_bytes(bytes, epoch, first, last, true), now_ms);
}

static void test_puback_is_not_enough(void)
{
    begin(3);
    pump(1000);
    CU_ASSERT(wire.n == 3 && journal.unacked == 3);
    pump(1000 + UPLINK_ACK_MS - 1);
    CU_ASSERT_EQUAL(wire.n, 3);
    CU_ASSERT_EQUAL(ack(0xABCD, 1, 2, 2000), 2);
    CU_ASSERT_EQUAL(journal.unacked, 1);
    pump(1000 + UPLINK_ACK_MS);
    CU_ASSERT(wire.n == 4 && wire.seq[3] == 3);
    CU_ASSERT_EQUAL(ack(0xABCD, 3, 3, 12000), 1);
    pump(1000000);
    CU_ASSERT(wire.n == 4 && journal.unacked == 0);
    end();
}

/* The server lives and acknowledges all but record 1. */
static void test_back_off(void)
{
    static const uint32_t want[] = { 1000, 11000, 31000, 71000, 151000, 311000, 471000 };
    unsigned times = 0;

    begin(1);
    for (uint32_t now = 1000; now < 500000; now += 1000) {
        append(1);
        pump(now);
        for (size_t i = 0; i < wire.n; i++)
            if (wire.seq[i] == 1)
                CU_ASSERT_EQUAL(now, want[times++]);
        wire.n = wire.done = 0;
        ack(0xABCD, 2, UINT64_MAX, now);
    }
    CU_ASSERT_EQUAL(times, 7);
    end();
}

static void test_probe(void)
{
    begin(50);
    pump(1000);
    CU_ASSERT_EQUAL(wire.n, 50);
    for (uint32_t now = 1000; now <= 61000; now += 100)
        pump(now);
    CU_ASSERT(wire.n >= 50 + 9 && wire.n <= 50 + 12); /* one each 5 s while the server is away */
    size_t before = wire.n;

    CU_ASSERT_EQUAL(ack(0xABCD, wire.seq[before - 1], wire.seq[before - 1], 61100), 1);
    pump(61200);
    CU_ASSERT(wire.n >= before + 46); /* it is back: the others at once */
    end();
}

static void test_reconnect(void)
{
    begin(10);
    pump(1000);
    ack(0xABCD, 1, 4, 1100);
    uplink_connected(&up, 2000);
    pump(2000);
    CU_ASSERT_EQUAL(wire.n, 16);
    for (size_t i = 10; i < 16; i++)
        CU_ASSERT(wire.seq[i] > 4);
    end();
}

static void test_interleaves(void)
{
    unsigned live = 0;

    begin(1000);
    for (unsigned i = 0; i < 20; i++) {
        append(1);
        wire.full = false;
        uplink_step(&up, 2000 + i);
        for (; wire.done < wire.n; wire.done++) {
            uplink_published(&up, wire.token[wire.done], true);
            live += wire.seq[wire.done] >= 1000 ? 1 : 0;
        }
    }
    CU_ASSERT(live >= 20); /* the newest do not wait for the oldest */
    bool seen[1100] = { false };

    for (uint32_t now = 3000; journal.unacked > 0 && now < 60000; now += 10) {
        pump(now);
        for (size_t i = 0; i < wire.n; i++) {
            seen[wire.seq[i]] = true;
            ack(0xABCD, wire.seq[i], wire.seq[i], now);
        }
        wire.n = wire.done = 0;
    }
    for (unsigned i = 1; i <= 1020; i++)
        CU_ASSERT(seen[i]);
    CU_ASSERT_EQUAL(journal.unacked, 0);
    end();
}

static void test_window(void)
{
    begin(300);
    pump(1000);
    CU_ASSERT_EQUAL(wire.n, UPLINK_WINDOW);
    ack(0xABCD, 0, UINT64_MAX, 1100);
    CU_ASSERT_EQUAL(journal.unacked, 0);
    end();
    begin(300);
    uplink_step(&up, 1000); /* nothing is given back: as many as there are buffers */
    uplink_step(&up, 1000);
    CU_ASSERT_EQUAL(wire.n, 4);
    end();
}

static void test_full_client(void)
{
    begin(5);
    wire.full = true;
    pump(1000);
    CU_ASSERT_EQUAL(wire.n, 0);
    wire.full = false;
    pump(1001);
    CU_ASSERT_EQUAL(wire.n, 5);
    end();
}

static void test_not_before_it_is_safe(void)
{
    uint8_t bytes[40] = { 1 };
    struct journal_note note = { 1, 1, 0 };

    begin(0);
    journal_append(&journal, bytes, sizeof(bytes), &note);
    pump(1000);
    CU_ASSERT_EQUAL(wire.n, 0);
    journal_sync(&journal);
    pump(1000);
    CU_ASSERT_EQUAL(wire.n, 1);
    end();
}

static void test_ack_on_the_wire(void)
{
    begin(1);
    uplink_step(&up, 1000);
    CU_ASSERT_EQUAL(ack(0xABCD, 1, 1, 1001), 1); /* the server was faster than PUBACK */
    append(3);
    uplink_step(&up, 1002);
    CU_ASSERT_EQUAL(wire.n, 4); /* its buffer is still borrowed: three are left */
    append(1);
    uplink_step(&up, 1002);
    CU_ASSERT_EQUAL(wire.n, 4);
    uplink_published(&up, wire.token[0], true);
    uplink_step(&up, 1003);
    CU_ASSERT_EQUAL(wire.n, 5);
    end();
}

static void test_refused_by_broker(void)
{
    begin(1);
    uplink_step(&up, 1000);
    uplink_published(&up, wire.token[0], false);
    wire.done = 1;
    CU_ASSERT(journal.unacked == 1 && up.counts.refused == 1);
    pump(1000 + UPLINK_ACK_MS);
    CU_ASSERT_EQUAL(wire.n, 2);
    end();
}

static void test_hostile_acks(void)
{
    uint8_t bytes[64];
    size_t n;

    begin(20);
    pump(1000);
    CU_ASSERT_EQUAL(ack(0xABCE, 1, 20, 1), 0);
    CU_ASSERT_EQUAL(up.counts.foreign_acks, 1);
    CU_ASSERT_EQUAL(ack(0xABCD, 20, 1, 1), 0);
    CU_ASSERT_EQUAL(ack(0xABCD, 21, UINT64_MAX, 1), 0);
    n = ack_bytes(bytes, 0xABCD, 1, 20, true);
    for (size_t k = 1; k < n; k++) /* cut short anywhere */
        uplink_ack(&up, bytes, k, 1);
    CU_ASSERT_EQUAL(journal.unacked, 20);
    srand(5);
    for (unsigned i = 0; i < 200000; i++) {
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)rand();
        uplink_ack(&up, bytes, (size_t)rand() % sizeof(bytes), 1);
    }
    CU_ASSERT_EQUAL(journal.unacked, 20);
    n = ack_bytes(bytes, 0xABCD, 5, 6, false); /* the unpacked form is protobuf as well */
    CU_ASSERT_EQUAL(uplink_ack(&up, bytes, n, 1), 2);
    CU_ASSERT_EQUAL(ack(0xABCD, 0, UINT64_MAX, 1), 18);
    uplink_published(&up, 9999, true);
    uplink_published(&up, 0, true); /* twice: nothing happens */
    end();
}

static void test_rotten_record(void)
{
    begin(5);
    flash.bytes[44 + 36 + 2 * 76 + 10] ^= 4; /* in the bytes of record 3 */
    pump(1000);
    CU_ASSERT(wire.n == 4 && journal.corrupt == 1);
    end();
}

static void test_refill(void)
{
    begin(80);
    pump(1000);
    CU_ASSERT_EQUAL(ack(0xABCD, 1, 80, 1000), 80);
    CU_ASSERT_TRUE(uplink_refill_is_done(&up));
    size_t before = wire.n;

    uplink_refill(&up, 11, 60);
    pump(2000);
    CU_ASSERT_EQUAL(wire.n - before, UPLINK_REFILL_WINDOW); /* the rest waits */
    CU_ASSERT_EQUAL(wire.seq[before], 11);
    CU_ASSERT_EQUAL(ack(0xABCD, 11, 30, 2000), 0); /* the journal had them acknowledged before */
    pump(2000);
    CU_ASSERT_EQUAL(wire.n - before, 50);
    CU_ASSERT_EQUAL(wire.seq[wire.n - 1], 60);
    CU_ASSERT_FALSE(uplink_refill_is_done(&up));
    ack(0xABCD, 31, 59, 2100);
    CU_ASSERT_FALSE(uplink_refill_is_done(&up));
    pump(2100 + UPLINK_ACK_MS);
    CU_ASSERT_EQUAL(wire.seq[wire.n - 1], 60); /* without an acknowledgement once more */
    ack(0xABCD, 60, 60, 20000);
    CU_ASSERT_TRUE(uplink_refill_is_done(&up));
    CU_ASSERT_EQUAL(up.refill.served, 50);
    end();
}

static void test_refill_stands_back_and_can_be_stopped(void)
{
    begin(40);
    pump(1000);
    ack(0xABCD, 1, 40, 1000);
    size_t before = wire.n;

    append(1);
    uplink_refill(&up, 1, 40);
    pump(2000);
    CU_ASSERT_EQUAL(wire.seq[before], 41); /* what was never sent goes first */
    uplink_refill_stop(&up);
    pump(2000 + UPLINK_ACK_MS);
    CU_ASSERT(wire.n == before + 1 + UPLINK_REFILL_WINDOW + 1 && wire.seq[wire.n - 1] == 41);
    uplink_refill(&up, 500, 600); /* never written */
    pump(30000);
    CU_ASSERT(uplink_refill_is_done(&up) && up.refill.served == 0);
    end();
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("uplink", NULL, NULL);

    CU_add_test(s, "what the broker took is published again until the server has it [FL-2]", test_puback_is_not_enough);
    CU_add_test(s, "a record that the server does not take is offered less and less often", test_back_off);
    CU_add_test(s, "a server that is away is asked with one record each 5 s, and back it gets the others at once", test_probe);
    CU_add_test(s, "a new connection makes everything without an acknowledgement due", test_reconnect);
    CU_add_test(s, "after an outage the newest records and the oldest take turns, and all arrive", test_interleaves);
    CU_add_test(s, "window and buffers bound what is under way", test_window);
    CU_add_test(s, "a client that is full gets the records later", test_full_client);
    CU_add_test(s, "a record is published only when it survives a power cut", test_not_before_it_is_safe);
    CU_add_test(s, "an acknowledgement that overtakes PUBACK keeps the buffer until it is given back", test_ack_on_the_wire);
    CU_add_test(s, "a record refused by the broker stays", test_refused_by_broker);
    CU_add_test(s, "acknowledgements of another epoch, reversed, cut or random free nothing", test_hostile_acks);
    CU_add_test(s, "a rotten record is skipped and counted", test_rotten_record);
    CU_add_test(s, "what the server asks for again is published until it has it, in a part of the window [FL-2]", test_refill);
    CU_add_test(s, "a refill stands back behind what was never sent, and can be stopped", test_refill_stands_back_and_can_be_stopped);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failed ? 1 : 0;
}
