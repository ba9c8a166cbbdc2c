/* SPDX-License-Identifier: Apache-2.0 */
/* Reads, writes, routines and trouble codes; sessions and keys have a program of their own (test_uds_access.c). */
#include "tests/unit/firmware/uds_rig.h"

static void test_read(void)
{
    start();
    ASK(0x22, 0x20, 104, 0x30, 104);
    CU_ASSERT_EQUAL(n, 13);
    CU_ASSERT_EQUAL(out[0], 0x62);
    CU_ASSERT_EQUAL(get_be16(out + 1), 0x2000 + 104);
    CU_ASSERT_EQUAL(get_be32(out + 3), 4250);
    CU_ASSERT_EQUAL(get_be16(out + 7), 0x3000 + 104);
    CU_ASSERT_EQUAL(get_be32(out + 9), 4250);
    ASK(0x22, 0x20, 128); /* a negative value */
    CU_ASSERT_EQUAL((int32_t)get_be32(out + 3), -200);
    ASK(0x22, 0x20, 14);
    CU_ASSERT(refused(0x22, UDS_NRC_RANGE));
    ASK(0x22, 0x1F, 0xFF);
    CU_ASSERT(refused(0x22, UDS_NRC_RANGE));
    ASK(0x22, 0xFF, 0xFF);
    CU_ASSERT(refused(0x22, UDS_NRC_RANGE));
    ASK(0x22);
    CU_ASSERT(refused(0x22, UDS_NRC_LENGTH));
    ASK(0x22, 0x20);
    CU_ASSERT(refused(0x22, UDS_NRC_LENGTH));
    ASK(0x22, 0x20, 1, 0x20);
    CU_ASSERT(refused(0x22, UDS_NRC_LENGTH));
}

static void test_read_64_and_one_more(void)
{
    uint8_t req[1 + 2 * (UDS_DIDS_MAX + 1)] = { 0x22 };

    start();
    for (int i = 0; i <= UDS_DIDS_MAX; i++)
        put_be16(req + 1 + 2 * i, 0x2001);
    ask(req, sizeof(req) - 2);
    CU_ASSERT_EQUAL(n, UDS_READ_MAX);
    ask(req, sizeof(req));
    CU_ASSERT(refused(0x22, UDS_NRC_LENGTH));
}

static void test_write(void)
{
    start();
    ASK(0x2E, 0x20, 80, 0, 0, 0, 77);
    CU_ASSERT_EQUAL(n, 3);
    CU_ASSERT_EQUAL(out[0], 0x6E);
    CU_ASSERT_EQUAL(get_be16(out + 1), 0x2000 + 80);
    CU_ASSERT_EQUAL(params.running[PARAM_balance_start_mV], 77);
    CU_ASSERT_EQUAL(params.stored[PARAM_balance_start_mV], 50);
    ASK(0x2E, 0x20, 80, 0, 0, 0, 29);
    CU_ASSERT(refused(0x2E, UDS_NRC_RANGE));
    ASK(0x2E, 0x20, 80, 0xFF, 0xFF, 0xFF, 0xFF);
    CU_ASSERT(refused(0x2E, UDS_NRC_RANGE));
    ASK(0x2E, 0x30, 80, 0, 0, 0, 77); /* the stored copy is read only */
    CU_ASSERT(refused(0x2E, UDS_NRC_RANGE));
    ASK(0x2E, 0x20, 99, 0, 0, 0, 1);
    CU_ASSERT(refused(0x2E, UDS_NRC_RANGE));
    ASK(0x2E, 0x20, 80, 0, 0, 0);
    CU_ASSERT(refused(0x2E, UDS_NRC_LENGTH));
    ASK(0x2E, 0x20, 80, 0, 0, 0, 77, 0);
    CU_ASSERT(refused(0x2E, UDS_NRC_LENGTH));
    CU_ASSERT_EQUAL(params.running[PARAM_balance_start_mV], 77);
}

static void test_store(void)
{
    start();
    params_set(&params, PARAM_balance_start_mV, 77);
    ASK(0x31, 0x01, 0x02, 0x01);
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT(uds_is_busy(&u));
    CU_ASSERT(u.store);
    CU_ASSERT_EQUAL(params_set(&params, PARAM_balance_start_mV, 88), BMS_ERR_STATE); /* what is stored is one state of them */
    CU_ASSERT_EQUAL(uds_poll(&u, 10, BIU_NVM_IDLE, out), 0);
    n = uds_poll(&u, 10, BIU_NVM_DONE, out);
    CU_ASSERT_EQUAL(n, 4);
    CU_ASSERT_EQUAL(get_be32(out), 0x71010201);
    CU_ASSERT_EQUAL(params.stored[PARAM_balance_start_mV], 77);
    CU_ASSERT_FALSE(uds_is_busy(&u));
}

static void test_slow_store_tells_pending_once(void)
{
    unsigned pending = 0;

    start();
    ASK(0x31, 0x01, 0x02, 0x01);
    for (int t = 10; t < UDS_STORE_MS; t += 10) {
        n = uds_poll(&u, 10, BIU_NVM_IDLE, out);
        if (n) {
            CU_ASSERT(refused(0x31, UDS_NRC_PENDING));
            CU_ASSERT_EQUAL(t, UDS_PENDING_MS);
            pending++;
        }
    }
    CU_ASSERT_EQUAL(pending, 1);
    n = uds_poll(&u, 10, BIU_NVM_IDLE, out);
    CU_ASSERT(refused(0x31, UDS_NRC_PROGRAMMING));
    ASK(0x31, 0x01, 0x02, 0x01); /* the memory still works on the first */
    CU_ASSERT(refused(0x31, UDS_NRC_CONDITIONS));
    ASK(0x2E, 0x20, 80, 0, 0, 0, 77);
    CU_ASSERT(refused(0x2E, UDS_NRC_BUSY));
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_FACTORY);
    CU_ASSERT(refused(0x31, UDS_NRC_BUSY));
    uds_poll(&u, 10, BIU_NVM_DONE, out);
    CU_ASSERT_EQUAL(params.stored[PARAM_balance_start_mV], 50);
    ASK(0x2E, 0x20, 80, 0, 0, 0, 77);
    CU_ASSERT(n == 3 && params.running[PARAM_balance_start_mV] == 77);
    ASK(0x31, 0x01, 0x02, 0x01);
    CU_ASSERT(uds_is_busy(&u));
}

static void test_failed_store(void)
{
    start();
    params_set(&params, PARAM_balance_start_mV, 77);
    ASK(0x31, 0x01, 0x02, 0x01);
    n = uds_poll(&u, 10, BIU_NVM_FAILED, out);
    CU_ASSERT(refused(0x31, UDS_NRC_PROGRAMMING));
    CU_ASSERT_EQUAL(params.stored[PARAM_balance_start_mV], 50);
    CU_ASSERT_FALSE(uds_is_busy(&u));
    ASK(0x31, 0x01, 0x02, 0x01); /* once more */
    CU_ASSERT(uds_is_busy(&u));
}

static void test_impossible_pack_is_not_stored(void)
{
    start();
    params_set(&params, PARAM_bmu02_devices, 1);
    ASK(0x31, 0x01, 0x02, 0x01);
    CU_ASSERT(refused(0x31, UDS_NRC_CONDITIONS));
    CU_ASSERT_FALSE(u.store);
}

static void test_soc_is_set(void)
{
    static struct soc soc;

    start();
    soc_init(&soc, params.running);
    ASK(0x31, 0x01, 0x02, 0x04, 0x13, 0x88);
    CU_ASSERT(refused(0x31, UDS_NRC_RANGE)); /* there is none */
    u.soc = &soc;
    ASK(0x22, 0x10, 0x10);
    CU_ASSERT(n == 5 && get_be16(out + 3) == SOC_NOT_SET);
    ASK(0x31, 0x01, 0x02, 0x04, 0x13, 0x88);
    CU_ASSERT(n == 4 && out[0] == 0x71);
    CU_ASSERT_EQUAL(soc_permyriad(&soc), 5000);
    ASK(0x2E, 0x10, 0x10, 0x27, 0x10);
    CU_ASSERT(n == 3 && out[0] == 0x6E && get_be16(out + 1) == 0x1010);
    CU_ASSERT_EQUAL(soc_permyriad(&soc), 10000);
    ASK(0x2E, 0x10, 0x10, 0x27, 0x11);
    CU_ASSERT(refused(0x2E, UDS_NRC_RANGE));
    ASK(0x2E, 0x10, 0x10, 0xFF, 0xFF);
    CU_ASSERT(refused(0x2E, UDS_NRC_RANGE));
    ASK(0x2E, 0x10, 0x10, 0x00);
    CU_ASSERT(refused(0x2E, UDS_NRC_LENGTH));
    ASK(0x31, 0x01, 0x02, 0x04);
    CU_ASSERT(refused(0x31, UDS_NRC_LENGTH));
    ASK(0x22, 0x10, 0x10);
    CU_ASSERT_EQUAL(get_be16(out + 3), 10000);
    params_set(&params, PARAM_write_needs_key, 1);
    ASK(0x2E, 0x10, 0x10, 0x00, 0x00);
    CU_ASSERT(refused(0x2E, UDS_NRC_SECURITY));
}

static void test_self_test_tells_what_failed(void)
{
    start();
    u.board.failed = 0x0102;
    ASK(0x31, 0x01, 0x02, 0x03);
    CU_ASSERT(n == 6 && get_be32(out) == 0x71010203 && get_be16(out + 4) == 0x0102);
    ASK(0x31, 0x01, 0x02, 0x03, 0x00);
    CU_ASSERT(refused(0x31, UDS_NRC_LENGTH));
    u.board.failed = scalar_invalid(VALIDITY_NEVER);
    ASK(0x31, 0x01, 0x02, 0x03);
    CU_ASSERT(refused(0x31, UDS_NRC_CONDITIONS));
    ASK(0x31, 0x03, 0x02, 0x03);
    CU_ASSERT(refused(0x31, UDS_NRC_SUBFUNCTION));
}

static void resend(uint32_t no)
{
    uint8_t req[8] = { 0x31, 0x01, 0x02, 0x02 };

    put_be32(req + 4, no);
    ask(req, sizeof(req));
}

static void test_resend(void)
{
    start();
    resend(1);
    CU_ASSERT_EQUAL(n, 12);
    CU_ASSERT_EQUAL(get_be32(out), 0x71010202);
    CU_ASSERT_EQUAL(get_be32(out + 4), 1);
    CU_ASSERT_EQUAL(get_be32(out + 8), 0);
    for (int i = 0; i < 10; i++)
        sampler_add(&sampler);
    stream.no = 11;
    resend(9);
    CU_ASSERT_EQUAL(get_be32(out + 4), 9);
    CU_ASSERT_EQUAL(get_be32(out + 8), 10);
    CU_ASSERT_EQUAL(stream.no, 9);
    resend(0); /* the ring of 4 holds 7 to 10 */
    CU_ASSERT_EQUAL(get_be32(out + 4), 7);
    CU_ASSERT_EQUAL(stream.no, 7);
    stream.no = 11;
    resend(11);
    CU_ASSERT_EQUAL(n, 12);
    CU_ASSERT_EQUAL(stream.no, 11);
    resend(12);
    CU_ASSERT(refused(0x31, UDS_NRC_RANGE));
    resend(0xFFFFFFFF);
    CU_ASSERT(refused(0x31, UDS_NRC_RANGE));
    ASK(0x31, 0x01, 0x02, 0x02, 0, 0, 0);
    CU_ASSERT(refused(0x31, UDS_NRC_LENGTH));
}

static void test_routine_refusals(void)
{
    start();
    ASK(0x31, 0x01, 0x02);
    CU_ASSERT(refused(0x31, UDS_NRC_LENGTH));
    ASK(0x31, 0x02, 0x02, 0x01);
    CU_ASSERT(refused(0x31, UDS_NRC_SUBFUNCTION));
    ASK(0x31, 0x04, 0x02, 0x01);
    CU_ASSERT(refused(0x31, UDS_NRC_SUBFUNCTION));
    ASK(0x31, 0x01, 0x02, 0x00);
    CU_ASSERT(refused(0x31, UDS_NRC_RANGE));
    ASK(0x31, 0x01, 0x02, 0x01, 0x00);
    CU_ASSERT(refused(0x31, UDS_NRC_LENGTH));
}

static void test_restart_and_tester_present(void)
{
    start();
    ASK(0x11, 0x02);
    CU_ASSERT(refused(0x11, UDS_NRC_SUBFUNCTION));
    ASK(0x11);
    CU_ASSERT(refused(0x11, UDS_NRC_LENGTH));
    ASK(0x11, 0x01, 0x00);
    CU_ASSERT(refused(0x11, UDS_NRC_LENGTH));
    CU_ASSERT_FALSE(u.restart);
    ASK(0x11, 0x01);
    CU_ASSERT_EQUAL(n, 2);
    CU_ASSERT_EQUAL(get_be16(out), 0x5101);
    CU_ASSERT(u.restart);
    ASK(0x3E, 0x00);
    CU_ASSERT_EQUAL(n, 2);
    CU_ASSERT_EQUAL(get_be16(out), 0x7E00);
    ASK(0x3E, 0x80); /* no answer wanted */
    CU_ASSERT_EQUAL(n, 0);
    ASK(0x3E, 0x01);
    CU_ASSERT(refused(0x3E, UDS_NRC_SUBFUNCTION));
    ASK(0x3E);
    CU_ASSERT(refused(0x3E, UDS_NRC_LENGTH));
}

static void test_unknown_service(void)
{
    start();
    for (unsigned service = 0; service <= 0xFF; service++) {
        static const char ours[] = "\x10\x11\x14\x19\x22\x27\x28\x2E\x31\x34\x35\x36\x37\x3E\x85";

        if (service && strchr(ours, (int)service))
            continue;
        ask((const uint8_t[]) { (uint8_t)service, 0, 0, 0 }, 4);
        CU_ASSERT(refused((uint8_t)service, UDS_NRC_SERVICE));
    }
}

static void test_any_request_is_answered_in_bounds(void)
{
    uint8_t req[UDS_REQUEST_MAX];
    unsigned seed = 3;

    start();
    for (int i = 0; i < 200000; i++) {
        static const uint8_t services[] = { 0x10, 0x11, 0x14, 0x19, 0x22, 0x27, 0x28, 0x2E, 0x31, 0x34, 0x35, 0x36, 0x37, 0x3E, 0x85 };
        size_t len;

        for (size_t k = 0; k < sizeof(req); k++) {
            seed = seed * 1103515245u + 12345u;
            req[k] = k && (seed >> 9) % 2 ? (uint8_t)(seed >> 16 & 0x3u) : (uint8_t)(seed >> 16);
        }
        req[0] = services[(seed >> 20) % sizeof(services)];
        len = 1 + (seed >> 12) % sizeof(req);
        ask(req, len);
        CU_ASSERT(n <= UDS_RESPONSE_MAX);
        if (uds_is_busy(&u))
            uds_poll(&u, 10, BIU_NVM_DONE, out);
        uds_slot_result(&u, u.order.what == BIU_SLOT_NOTHING ? BIU_NVM_IDLE : BIU_NVM_DONE);
        u.order.what = BIU_SLOT_NOTHING;
    }
}

static const struct sample_alarm raised[] = { { 2, ALARM_MAJOR, 17, 4251 }, { 9, ALARM_WARNING, 3, -7 } };

static void step_codes(size_t active, bool tested)
{
    dtc_step(&dtc, raised, active, tested,
             &(struct dtc_snapshot) { .pack_mV = 380000, .pack_mA = -1000, .soc_permyriad = 5000, .utc_ms = 0x0000019A00000001u });
}

static void test_trouble_codes(void)
{
    start();
    ASK(0x19, 0x01, 0xFF);
    CU_ASSERT_EQUAL(n, 6);
    CU_ASSERT_EQUAL(get_be16(out + 4), ALARMS); /* nothing has been tested */
    step_codes(0, true);
    ASK(0x19, 0x01, 0xFF);
    CU_ASSERT_EQUAL(memcmp(out, (const uint8_t[]) { 0x59, 0x01, 0xFF, 0x01, 0, 0 }, 6), 0);
    step_codes(2, false);
    ASK(0x19, 0x02, DTC_FAILED);
    CU_ASSERT_EQUAL(n, 11);
    CU_ASSERT_EQUAL(memcmp(out, (const uint8_t[]) { 0x59, 0x02, 0xFF, 0x11, 0x00, 0x02, 0xAF, 0x11, 0x00, 0x09, 0x2F }, 11), 0);
    step_codes(1, false); /* the warning has gone */
    ASK(0x19, 0x02, DTC_FAILED);
    CU_ASSERT_EQUAL(n, 7);
    ASK(0x19, 0x02, DTC_CONFIRMED);
    CU_ASSERT_EQUAL(n, 11);
    CU_ASSERT_EQUAL(out[10], 0x2E);
    ASK(0x19, 0x0A);
    CU_ASSERT_EQUAL(n, 3 + 4 * ALARMS);
    ASK(0x19, 0x04, 0x11, 0x00, 0x02, 0x01);
    CU_ASSERT_EQUAL(memcmp(out,
                           (const uint8_t[]) { 0x59, 4,    0x11, 0, 2,    0xAF, 1,    7,    0x10, 1,    0,    17,   0x10, 2, 0x10, 0x9B,
                                               0x10, 3,    0,    5, 0xCC, 0x60, 0x10, 4,    0xFF, 0xFF, 0xFC, 0x18, 0x10, 5, 0,    0,
                                               0x13, 0x88, 0x10, 6, 0,    0,    1,    0x9A, 0x10, 7,    0,    0,    0,    1 },
                           46),
                    0);
    CU_ASSERT_EQUAL(n, 46);
    step_codes(2, true); /* it comes again */
    ASK(0x19, 0x06, 0x11, 0x00, 0x09, 0xFF);
    CU_ASSERT(n == 10 && out[6] == 1 && out[7] == 2 && out[8] == 2 && out[9] == 0);
    ASK(0x19, 0x06, 0x11, 0x00, 0x09, 0x02); /* ageing */
    CU_ASSERT(n == 8 && out[6] == 2 && out[7] == 0);
    ASK(0x19, 0x06, 0x11, 0x00, 0x09, 0x01);
    CU_ASSERT(n == 8 && out[6] == 1 && out[7] == 2);
    ASK(0x19, 0x06, 0x11, 0x00, 0x09, 0x03);
    CU_ASSERT(refused(0x19, UDS_NRC_RANGE));
    ASK(0x19, 0x06, 0x11, 0x00, 0x01, 0x01); /* never came: no record */
    CU_ASSERT_EQUAL(n, 6);
    ASK(0x19, 0x04, 0x11, 0x00, 0x02, 0x02);
    CU_ASSERT(refused(0x19, UDS_NRC_RANGE));
    ASK(0x19, 0x04, 0x22, 0x00, 0x02, 0x01);
    CU_ASSERT(refused(0x19, UDS_NRC_RANGE));
    ASK(0x19, 0x03);
    CU_ASSERT(refused(0x19, UDS_NRC_SUBFUNCTION));
    ASK(0x19);
    CU_ASSERT(refused(0x19, UDS_NRC_LENGTH));
    ASK(0x19, 0x02);
    CU_ASSERT(refused(0x19, UDS_NRC_LENGTH));
    ASK(0x19, 0x0A, 0xFF);
    CU_ASSERT(refused(0x19, UDS_NRC_LENGTH));
    ASK(0x19, 0x82, 0xFF);
    CU_ASSERT_EQUAL(n, 0);
}

static void test_clearing_and_holding_codes(void)
{
    start();
    step_codes(2, true);
    ASK(0x14, 0x11, 0x00, 0x09);
    CU_ASSERT(n == 1 && out[0] == 0x54);
    ASK(0x19, 0x02, DTC_CONFIRMED);
    CU_ASSERT_EQUAL(n, 7);
    ASK(0x14, 0xFF, 0xFF, 0xFF);
    ASK(0x19, 0x02, DTC_CONFIRMED);
    CU_ASSERT_EQUAL(n, 3);
    step_codes(1, true); /* still there */
    ASK(0x19, 0x02, DTC_CONFIRMED);
    CU_ASSERT_EQUAL(n, 7);
    ASK(0x14, 0x12, 0x34, 0x56);
    CU_ASSERT(refused(0x14, UDS_NRC_RANGE));
    ASK(0x14, 0xFF, 0xFF);
    CU_ASSERT(refused(0x14, UDS_NRC_LENGTH));
    ASK(0x14, 0xFF, 0xFF, 0xFF, 0xFF);
    CU_ASSERT(refused(0x14, UDS_NRC_LENGTH));
    ASK(0x10, 0x03);
    ASK(0x85, 0x02);
    step_codes(2, true);
    ASK(0x19, 0x02, DTC_FAILED);
    CU_ASSERT_EQUAL(n, 7);
    ASK(0x85, 0x01);
    step_codes(2, true);
    ASK(0x19, 0x02, DTC_FAILED);
    CU_ASSERT_EQUAL(n, 11);
}

static void ask_all(const uint8_t *req, size_t len)
{
    n = uds_request_functional(&u, req, len, out);
}

#define ASK_ALL(...) ask_all((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

static void test_functional(void)
{
    start();
    ASK_ALL(0x3E, 0x00);
    CU_ASSERT_EQUAL(n, 2);
    ASK_ALL(0x3E, 0x80);
    CU_ASSERT_EQUAL(n, 0);
    ASK_ALL(0x99, 0x00); /* 11 */
    CU_ASSERT_EQUAL(n, 0);
    ASK_ALL(0x3E, 0x01); /* 12 */
    CU_ASSERT_EQUAL(n, 0);
    ASK_ALL(0x22, 0x20, 99); /* 31 */
    CU_ASSERT_EQUAL(n, 0);
    ASK_ALL(0x27, 0x01); /* 7F */
    CU_ASSERT_EQUAL(n, 0);
    ASK_ALL(0x22, 0x20); /* 13 is said */
    CU_ASSERT(refused(0x22, UDS_NRC_LENGTH));
    ASK_ALL(0x10, 0x83);
    CU_ASSERT_EQUAL(u.session, UDS_SESSION_EXTENDED);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "22 reads both copies and refuses what is not there [UC-3]", test_read },
        { "22 reads 64 parameters at once, not 65", test_read_64_and_one_more },
        { "2E changes the running copy inside its row alone [UC-5]", test_write },
        { "31 0201 stores what ran when it was asked [UC-5]", test_store },
        { "a slow store tells pending once and then fails; its late result still counts", test_slow_store_tells_pending_once },
        { "a store that failed is answered with 72 and changes nothing", test_failed_store },
        { "an impossible pack is not stored", test_impossible_pack_is_not_stored },
        { "31 0204 and 2E 1010 set the SOC, which reads 65535 before that [ES-5]", test_soc_is_set },
        { "31 0203 tells which units failed [ME-13]", test_self_test_tells_what_failed },
        { "31 0202 says what the ring holds and moves the stream back", test_resend },
        { "31 refuses other routines, sub-functions and lengths", test_routine_refusals },
        { "11 restarts, 3E answers, bit 7 keeps it quiet", test_restart_and_tester_present },
        { "every other service is refused with 11", test_unknown_service },
        { "any request is answered within bounds", test_any_request_is_answered_in_bounds },
        { "19 counts, lists and details the alarms' trouble codes with snapshots [AC-6]", test_trouble_codes },
        { "14 forgets codes until they come again, 85 holds them", test_clearing_and_holding_codes },
        { "a request to everybody is not answered by who is not meant", test_functional },
        CU_TEST_INFO_NULL,
    };

    return suite_run("uds", tests);
}
