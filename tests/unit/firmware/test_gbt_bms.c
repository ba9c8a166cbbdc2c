/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "firmware/core/charge/gbt_bms.h"
#include "proto/validity.h"
#include "tests/unit/firmware/can_log.h"
#include "tests/unit/suite.h"

enum { RX_MAX = 32, SEEN_MAX = 64 };

static const struct gbt_pack_facts facts = { .type = GBT_BATTERY_LFP,
                                             .capacity_mAh = 152000,
                                             .rated_mV = 364800,
                                             .energy_Wh = 55400,
                                             .cell_max_mV = 3650,
                                             .max_mV = 425000,
                                             .max_mA = -150000,
                                             .max_degC = 55,
                                             .maker = "TEST",
                                             .vin = "TESTVIN0000000001",
                                             .software = "1.0",
                                             .pack_no = 7,
                                             .charges = 42,
                                             .made_year = 2026,
                                             .made_month = 11,
                                             .made_day = 3 };
static struct gbt_pack_facts own_facts;
static struct gbt_bms b;
static struct gbt_in in;
static struct gbt_out out;
static struct can_frame rx[RX_MAX];
static struct j1939_tp peer; /* the charger's transport; it answers by itself */
static uint8_t peer_rx[GBT_MESSAGE_MAX];
static bool peer_is_deaf;
static int sent[GBT_MSGS];
static uint8_t last[GBT_MSGS][GBT_MESSAGE_MAX];
static size_t last_n[GBT_MSGS];
static int seen[SEEN_MAX], seen_n; /* messages of the BMS in the order in which they first came, BCS and BSM count as BCL */

/* Add the message's phase when it is new: a recorded BMS says BRO once more after its first BCL. Returns the new length. */
static int first_time(int *order, int n, int msg)
{
    int group = msg == GBT_BCS || msg == GBT_BSM ? GBT_BCL : msg;

    for (int i = 0; i < n; i++)
        if (order[i] == group)
            return n;
    order[n] = group;
    return n + 1;
}

static void note(int msg, const uint8_t *data, size_t n)
{
    CU_ASSERT(msg >= 0 && gbt_is_length((enum gbt_msg)msg, n));
    sent[msg]++;
    memcpy(last[msg], data, n);
    last_n[msg] = n;
    seen_n = first_time(seen, seen_n, msg);
}

static void start(void)
{
    own_facts = facts;
    gbt_bms_init(&b, &own_facts);
    j1939_tp_init(&peer, &(struct j1939_tp_config) { GBT_CHARGER, GBT_BMS, false, NULL, peer_rx, 0, sizeof(peer_rx) });
    in = (struct gbt_in) { .plugged = true,
                           .ready = true,
                           .room = GBT_TX_MAX,
                           .rx = rx,
                           .pack_mV = 364000,
                           .demand_mV = 420000,
                           .demand_mA = -100000,
                           .cell_min_mV = 3300,
                           .cell_max_mV = 3310,
                           .soc_permille = 455,
                           .left_min = 700,
                           .cell_max_no = 1,
                           .temp_max_no = 2,
                           .temp_min_no = 3,
                           .temp_max_degC = 25,
                           .temp_min_degC = -10 };
    memset(sent, 0, sizeof(sent));
    seen_n = 0;
    peer_is_deaf = false;
}

static void give(enum gbt_msg msg, const char *hex)
{
    uint8_t data[8] = { 0 };
    size_t n = 0;
    unsigned byte;

    for (; *hex; hex += 2) {
        sscanf(hex, "%2x", &byte);
        data[n++] = (uint8_t)byte;
    }
    rx[in.rx_count++] = gbt_frame(msg, data, n);
}

static void step_at(uint32_t now_ms)
{
    const uint8_t *data;
    uint32_t pgn;
    size_t n;

    in.now_ms = now_ms;
    while (!peer_is_deaf && in.rx_count < RX_MAX && j1939_tp_poll(&peer, now_ms, &rx[in.rx_count]) == 1)
        in.rx_count++;
    gbt_bms_step(&b, &in, &out);
    in.rx_count = 0;
    for (size_t i = 0; i < out.tx_count; i++) {
        if (!j1939_tp_receive(&peer, &out.tx[i], now_ms))
            note(gbt_of_frame(&out.tx[i]), out.tx[i].data, out.tx[i].len);
        else if ((n = j1939_tp_take(&peer, &pgn, &data)) != 0)
            note(gbt_by_pgn(pgn, GBT_BMS), data, n);
    }
}

static void run(uint32_t ms)
{
    for (uint32_t end = in.now_ms + ms; in.now_ms != end;)
        step_at(in.now_ms + 10);
}

#define CHM     give(GBT_CHM, "010100")
#define CRM_NO  give(GBT_CRM, "0001010101313233")
#define CRM_YES give(GBT_CRM, "AA01010101313233")
#define CML     give(GBT_CML, "1C257C01DC05A00F")
#define CRO_NO  give(GBT_CRO, "00")
#define CRO_YES give(GBT_CRO, "AA")
#define CCS     give(GBT_CCS, "2A10A00F0000FD")
#define CST     give(GBT_CST, "0400F0F0")
#define CSD     give(GBT_CSD, "0A00640001010101")

/* Through the phases, 10 ms each, and no further. */
static void reach(enum gbt_phase phase)
{
    start();
    step_at(0);
    for (int i = 0; i < 60 && b.phase != phase; i++) {
        switch (b.phase) {
        case GBT_HANDSHAKE:
            if (b.heard)
                CRM_NO;
            else
                CHM;
            break;
        case GBT_IDENTIFY:
            CRM_YES;
            break;
        case GBT_CONFIGURE:
            CML;
            break;
        case GBT_READY:
            CRO_YES;
            break;
        case GBT_CHARGING:
            CST;
            break;
        case GBT_SUMMARY:
            CSD;
            break;
        default:
            break;
        }
        step_at(in.now_ms + 10);
        if (b.phase == GBT_STOPPING || b.phase == GBT_SUMMARY)
            i--;
    }
    CU_ASSERT_EQUAL(b.phase, phase);
}

static int32_t said(enum gbt_field field)
{
    int32_t v;

    CU_ASSERT(gbt_get(field, last[gbt_message_of(field)], last_n[gbt_message_of(field)], &v));
    return v;
}

static void test_order(void)
{
    static const int want[] = { GBT_BHM, GBT_BRM, GBT_BCP, GBT_BRO, GBT_BCL, GBT_BST, GBT_BSD };

    start();
    step_at(0);
    CU_ASSERT_EQUAL(b.phase, GBT_HANDSHAKE);
    CU_ASSERT_EQUAL(out.tx_count, 0); /* BHM answers CHM */
    CHM;
    run(500);
    CU_ASSERT_EQUAL(sent[GBT_BHM], 2);
    CU_ASSERT_EQUAL(said(GBT_BHM_max_mV), 425000);
    CRM_NO;
    run(500);
    CU_ASSERT_EQUAL(b.phase, GBT_IDENTIFY);
    CU_ASSERT_EQUAL(last_n[GBT_BRM], 49);
    CU_ASSERT_EQUAL(said(GBT_BRM_capacity_mAh), 152000);
    CU_ASSERT_EQUAL(said(GBT_BRM_year), 2026);
    CU_ASSERT_EQUAL(memcmp(last[GBT_BRM] + 24,
                           "TESTVIN0000000001"
                           "1.0\xFF\xFF\xFF\xFF\xFF",
                           25),
                    0);
    CU_ASSERT_FALSE(out.close);
    CRM_YES;
    run(500);
    CU_ASSERT_EQUAL(said(GBT_BCP_soc_permille), 455);
    CU_ASSERT_EQUAL(said(GBT_BCP_max_mA), -150000);
    in.ready = false;
    CML;
    run(500);
    CU_ASSERT_EQUAL(b.phase, GBT_READY);
    CU_ASSERT(out.close); /* the contactor first, then ready */
    CU_ASSERT_EQUAL(said(GBT_BRO_ready), GBT_NO);
    CRO_YES; /* not an answer to anything */
    run(10);
    CU_ASSERT_EQUAL(b.phase, GBT_READY);
    in.ready = true;
    run(10);
    CU_ASSERT_EQUAL(said(GBT_BRO_ready), GBT_YES);
    CRO_YES;
    run(990);
    CU_ASSERT_EQUAL(b.phase, GBT_CHARGING);
    CU_ASSERT(sent[GBT_BCL] == 20 && sent[GBT_BCS] == 4 && sent[GBT_BSM] == 4);
    CU_ASSERT_EQUAL(said(GBT_BCL_demand_mA), -100000);
    CU_ASSERT_EQUAL(said(GBT_BCS_left_min), 600);
    CU_ASSERT_EQUAL(said(GBT_BSM_temp_min_degC), -10);
    CU_ASSERT_EQUAL(said(GBT_BSM_permitted), 1);
    in.stop = 1u << GBT_BST_SOC;
    run(10);
    CU_ASSERT_EQUAL(b.phase, GBT_STOPPING);
    CU_ASSERT_EQUAL(said(GBT_BST_reasons), 1);
    CST;
    run(110);
    CU_ASSERT_EQUAL(b.phase, GBT_SUMMARY);
    CSD;
    run(1010);
    CU_ASSERT_EQUAL(b.phase, GBT_DONE);
    CU_ASSERT_EQUAL(said(GBT_BSD_temp_min_degC), -10);
    CU_ASSERT_EQUAL(b.charger.energy_Wh, 10000);
    CU_ASSERT_FALSE(out.close);
    CU_ASSERT_EQUAL(seen_n, 7);
    CU_ASSERT_EQUAL(memcmp(seen, want, sizeof(want)), 0);
}

static void test_time_outs(void)
{
    static const struct {
        enum gbt_phase in;
        uint32_t limit_ms, bem;
    } rows[] = {
        { GBT_IDENTIFY, GBT_CRM_MS, GBT_BEM_CRM_YES }, { GBT_CONFIGURE, GBT_TIMEOUT_MS, GBT_BEM_CML },
        { GBT_READY, GBT_TIMEOUT_MS, GBT_BEM_CRO },    { GBT_CHARGING, GBT_CCS_MS, GBT_BEM_CCS },
        { GBT_SUMMARY, GBT_CSD_MS, GBT_BEM_CSD },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reach(rows[i].in);
        uint32_t at_ms = in.now_ms;

        step_at(at_ms + rows[i].limit_ms);
        CU_ASSERT_EQUAL(b.phase, rows[i].in);
        step_at(at_ms + rows[i].limit_ms + 1);
        CU_ASSERT_EQUAL(b.phase, GBT_ERROR);
        CU_ASSERT_EQUAL((uint32_t)said(GBT_BEM_errors), GBT_BEM_NONE | 1u << rows[i].bem);
        CU_ASSERT_FALSE(out.close);
        CU_ASSERT_EQUAL(b.counts.timeouts, 1);
    }
}

static void test_other_time_outs(void)
{
    start();
    step_at(0);
    step_at(3600000); /* the plug alone may be in for hours */
    CU_ASSERT_EQUAL(b.phase, GBT_HANDSHAKE);
    CHM;
    step_at(3600000);
    step_at(3600000 + GBT_CRM_MS);
    CU_ASSERT_EQUAL(b.phase, GBT_HANDSHAKE);
    step_at(3600001 + GBT_CRM_MS);
    CU_ASSERT_EQUAL((uint32_t)said(GBT_BEM_errors), GBT_BEM_NONE | 1u << GBT_BEM_CRM_NO);
    step_at(3600001 + GBT_CRM_MS + GBT_GIVE_UP_MS);
    CU_ASSERT_EQUAL(b.phase, GBT_ERROR);
    step_at(3600002 + GBT_CRM_MS + GBT_GIVE_UP_MS);
    CU_ASSERT_EQUAL(b.phase, GBT_FAILED);

    reach(GBT_CHARGING); /* our own stop that nobody confirms */
    in.stop = 1u << GBT_BST_CELL_VOLTAGE;
    step_at(1000);
    step_at(1000 + GBT_TIMEOUT_MS);
    CU_ASSERT_EQUAL(b.phase, GBT_STOPPING);
    step_at(1001 + GBT_TIMEOUT_MS);
    CU_ASSERT_EQUAL((uint32_t)said(GBT_BEM_errors), GBT_BEM_NONE | 1u << GBT_BEM_CST);

    reach(GBT_READY); /* a charger that is getting ready for ever */
    uint32_t at_ms = in.now_ms;

    for (uint32_t t = 1000; t <= GBT_READY_MS; t += 1000) {
        CRO_NO;
        step_at(at_ms + t);
    }
    CU_ASSERT_EQUAL(b.phase, GBT_READY);
    CRO_NO;
    step_at(at_ms + GBT_READY_MS + 1);
    CU_ASSERT_EQUAL((uint32_t)said(GBT_BEM_errors), GBT_BEM_NONE | 1u << GBT_BEM_CRO);

    reach(GBT_CONFIGURE); /* we that are never ready, with a charger that waits */
    in.ready = false;
    at_ms = in.now_ms + 10;
    for (uint32_t t = 0; t <= GBT_READY_MS; t += 1000) {
        CML;
        step_at(at_ms + t);
    }
    CU_ASSERT_EQUAL(b.phase, GBT_READY);
    CML;
    step_at(at_ms + GBT_READY_MS + 1);
    CU_ASSERT_EQUAL(b.phase, GBT_ERROR);
    CU_ASSERT_EQUAL((uint32_t)said(GBT_BEM_errors), GBT_BEM_NONE);
}

static void test_reconnects(void)
{
    reach(GBT_CHARGING);
    for (int i = 1; i <= GBT_RECONNECTS; i++) {
        run(GBT_CRM_MS + 100);
        CU_ASSERT_EQUAL(b.phase, GBT_ERROR);
        CRM_NO;
        run(300);
        CU_ASSERT_EQUAL(b.phase, GBT_IDENTIFY);
        CU_ASSERT_EQUAL(b.bem, GBT_BEM_NONE);
        CU_ASSERT(sent[GBT_BRM] > i);
    }
    CRM_YES;
    run(10);
    CRM_NO; /* the fourth time, in the middle */
    run(10);
    CU_ASSERT_EQUAL(b.phase, GBT_FAILED);
    CHM;
    run(100);
    CU_ASSERT_EQUAL(b.phase, GBT_FAILED);
    CU_ASSERT_EQUAL(out.tx_count, 0);
    in.plugged = false;
    run(10);
    CU_ASSERT_EQUAL(b.phase, GBT_OFF);
    in.plugged = true;
    CHM;
    run(10);
    CU_ASSERT_EQUAL(b.phase, GBT_HANDSHAKE);
}

static void test_restart_and_error_of_the_charger(void)
{
    for (int phase = GBT_IDENTIFY; phase <= GBT_DONE; phase++) {
        if (phase == GBT_STOPPING)
            continue;
        reach((enum gbt_phase)phase);
        CHM;
        run(10);
        CU_ASSERT_EQUAL(b.phase, GBT_HANDSHAKE);
        CU_ASSERT_FALSE(out.close);
        CU_ASSERT_EQUAL(b.reconnects, phase != GBT_DONE);
    }
    reach(GBT_CHARGING);
    give(GBT_CEM, "FCF0F1FC");
    run(10);
    CU_ASSERT_EQUAL(b.phase, GBT_ERROR);
    CU_ASSERT_EQUAL(b.charger.errors, 0xFCF1F0FCu);
    CU_ASSERT_EQUAL(b.counts.timeouts, 0);
}

static void test_lies(void)
{
    reach(GBT_CHARGING);
    in.pack_mA = in.demand_mA - GBT_SLACK_mA; /* the slack is allowed */
    for (int i = 0; i < 500; i++) {
        CCS;
        run(10);
    }
    CU_ASSERT_EQUAL(b.phase, GBT_CHARGING);
    in.pack_mA--;
    uint32_t at_ms = in.now_ms + 10;

    CCS;
    step_at(at_ms);
    CCS;
    step_at(at_ms + 1000);
    CCS;
    step_at(at_ms + GBT_LIE_MS);
    CU_ASSERT_EQUAL(b.phase, GBT_CHARGING);
    step_at(at_ms + GBT_LIE_MS + 1);
    CU_ASSERT_EQUAL(b.reasons, 1u << GBT_BST_CURRENT);
    CU_ASSERT(out.close); /* not under load */
    in.pack_mA = -5000;
    run(10);
    CU_ASSERT_FALSE(out.close);

    reach(GBT_CHARGING);
    in.pack_mV = facts.max_mV + 1;
    for (int i = 0; i < 202; i++) {
        CCS;
        run(10);
    }
    CU_ASSERT_EQUAL(b.reasons, 1u << GBT_BST_VOLTAGE);

    reach(GBT_CONFIGURE);              /* it cannot give our voltage: never ready */
    give(GBT_CML, "C409D007D80EA00F"); /* 250.0 V at most */
    run(100);
    CU_ASSERT_EQUAL(said(GBT_BRO_ready), GBT_NO);
    CU_ASSERT_FALSE(out.close);
}

static void test_ramp_down(void)
{
    reach(GBT_CHARGING);
    in.pack_mA = -100000;
    in.stop = 1u << GBT_BST_SOC;
    run(10);
    uint32_t at_ms = in.now_ms;

    CST;
    run(200);
    CU_ASSERT(b.phase == GBT_SUMMARY && out.close); /* CST came, the current is still there */
    in.pack_mA = -5001;
    step_at(at_ms + GBT_RAMP_MS);
    CU_ASSERT(out.close);
    step_at(at_ms + GBT_RAMP_MS + 1);
    CU_ASSERT_FALSE(out.close);
    in.pack_mA = -5000;
    step_at(at_ms + GBT_RAMP_MS);
    CU_ASSERT_FALSE(out.close);
}

static void test_pause(void)
{
    reach(GBT_CHARGING);
    in.pause = true;
    uint32_t at_ms = in.now_ms + 10;

    for (uint32_t t = 0; t <= GBT_PAUSE_MS; t += 500) {
        CCS;
        step_at(at_ms + t);
    }
    CU_ASSERT_EQUAL(b.phase, GBT_CHARGING);
    CU_ASSERT_EQUAL(said(GBT_BSM_permitted), 0);
    CU_ASSERT_EQUAL(said(GBT_BCL_demand_mA), 0);
    CCS;
    step_at(at_ms + GBT_PAUSE_MS + 1);
    CU_ASSERT_EQUAL(b.reasons, 1u << GBT_BST_OTHER);
    reach(GBT_CHARGING); /* the contactor opens by itself */
    in.ready = false;
    run(10);
    CU_ASSERT_EQUAL(b.reasons, 1u << GBT_BST_RELAY);
}

static void test_short_brm_and_deaf_charger(void)
{
    start();
    own_facts.software = NULL;
    CHM;
    step_at(0);
    peer_is_deaf = true;
    CRM_NO;
    run(3000); /* transfers given up, and begun again */
    CU_ASSERT_EQUAL(sent[GBT_BRM], 0);
    CU_ASSERT(b.tp.counts.timeouts >= 2);
    peer_is_deaf = false;
    run(2000);
    CU_ASSERT(sent[GBT_BRM] > 0);
    CU_ASSERT_EQUAL(last_n[GBT_BRM], 41);
}

static void test_details(void)
{
    static uint16_t cells[160];
    static int16_t temps[64];

    for (int i = 0; i < 160; i++)
        cells[i] = (uint16_t)(3200 + i);
    for (int i = 0; i < 64; i++)
        temps[i] = (int16_t)(-400 + 10 * i);
    cells[159] = cell_invalid(VALIDITY_OPEN);
    temps[63] = temp_invalid(VALIDITY_OPEN);
    reach(GBT_CHARGING);
    in.details = true;
    in.cells = 160;
    in.probes = 64;
    in.cell_mV = cells;
    in.temp_ddegC = temps;
    for (int i = 0; i < 1100; i++) {
        if (i % 5 == 0)
            CCS;
        run(10);
    }
    CU_ASSERT_EQUAL(b.phase, GBT_CHARGING);
    CU_ASSERT(sent[GBT_BMV] == 2 && sent[GBT_BMT] == 2 && sent[GBT_BSP] == 2); /* every 10 s */
    CU_ASSERT(last_n[GBT_BMV] == 320 && last_n[GBT_BMT] == 64 && last_n[GBT_BSP] == 16);
    CU_ASSERT(sent[GBT_BCS] >= 42 && sent[GBT_BCL] >= 219); /* the rest does not wait for them */
    CU_ASSERT_EQUAL(last[GBT_BMV][0] | last[GBT_BMV][1] << 8, 320);
    CU_ASSERT_EQUAL(last[GBT_BMV][316] | last[GBT_BMV][317] << 8, 335);
    CU_ASSERT_EQUAL(last[GBT_BMV][318] & last[GBT_BMV][319], 0xFF); /* not valid is no value */
    CU_ASSERT(last[GBT_BMT][0] == 10 && last[GBT_BMT][62] == 72 && last[GBT_BMT][63] == 0xFF);
}

static void test_no_room(void)
{
    reach(GBT_CHARGING);
    int before = sent[GBT_BCL];

    in.room = 0;
    CCS;
    run(100);
    CU_ASSERT(out.tx_count == 0 && sent[GBT_BCL] == before);
    in.room = 1;
    CCS;
    run(50);
    CU_ASSERT(sent[GBT_BCL] == before + 1 && out.tx_count <= 1);
}

static void test_hostile_frames(void)
{
    unsigned seed = 5;

    reach(GBT_CHARGING);
    give(GBT_CST, "0400F0");
    give(GBT_CCS, "2A10A00F0000");
    rx[in.rx_count++] = (struct can_frame) { .id = 0x1899F456, .ext = true, .len = 8 };
    rx[in.rx_count++] = (struct can_frame) { .id = 0x101AF457, .ext = true, .len = 4 }; /* another sender */
    run(10);
    CU_ASSERT_EQUAL(b.phase, GBT_CHARGING);
    CU_ASSERT_EQUAL(b.counts.bad_length, 2);
    CU_ASSERT_EQUAL(b.counts.unknown, 1);
    start();
    for (int i = 0; i < 100000; i++) {
        static const uint8_t pf[] = { 0x26, 0x01, 0x07, 0x08, 0x0A, 0x12, 0x1A, 0x1D, 0x1F, 0xEC, 0xEB };

        seed = seed * 1103515245u + 12345u;
        struct can_frame f = { .id = 0x1800F456u | (uint32_t)pf[(seed >> 20) % sizeof(pf)] << 16,
                               .ext = true,
                               .len = (uint8_t)((seed >> 8) % 9) };

        for (int k = 0; k < 8; k++) {
            seed = seed * 1103515245u + 12345u;
            f.data[k] = seed >> 12 & 1u ? (uint8_t)(seed >> 16) : (uint8_t[]) { 0x00, 0xAA, 0x10, 0x11 }[seed >> 16 & 3u];
        }
        rx[in.rx_count++] = f;
        in.plugged = i % 5000 != 0;
        step_at(in.now_ms + (seed >> 28));
        CU_ASSERT(out.tx_count <= GBT_TX_MAX && b.phase < GBT_PHASES);
    }
}

/* One session has times of 0.1 s: its frames are spread in their order. */
static void spread(struct can_log_line *lines, int n)
{
    for (int i = 0, k; i < n; i = k) {
        for (k = i; k < n && lines[k].at_ms == lines[i].at_ms;)
            k++;
        uint32_t gap_ms = k < n ? lines[k].at_ms - lines[i].at_ms : 0;

        for (int m = i + 1; m < k; m++)
            lines[m].at_ms += (uint32_t)(m - i) * (gap_ms > 100 ? 100 : gap_ms) / (uint32_t)(k - i);
    }
}

/* The charger's frames at their times; its transport answers live, for a recorded CTS cannot know when our RTS goes out. */
static void replay(const char *name, enum gbt_phase end)
{
    static struct can_log_line lines[CAN_LOG_MAX];
    static uint8_t buf[GBT_MESSAGE_MAX];
    struct j1939_tp recorded;
    int order[SEEN_MAX], order_n = 0, n = can_log_read(name, lines);
    const uint8_t *data;
    uint32_t pgn;

    CU_ASSERT_FATAL(n > 0);
    spread(lines, n);
    start();
    own_facts.max_mV = 700000;
    in.pack_mV = 490000;
    j1939_tp_init(&recorded, &(struct j1939_tp_config) { GBT_CHARGER, GBT_BMS, true, NULL, buf, 0, sizeof(buf) });
    for (int i = 0; i < n; i++) {
        const struct can_frame *f = &lines[i].frame;
        int msg = gbt_of_frame(f);

        if (j1939_tp_receive(&recorded, f, lines[i].at_ms) && j1939_tp_take(&recorded, &pgn, &data))
            msg = gbt_by_pgn(pgn, GBT_BMS);
        if (msg >= 0 && gbt_msgs[msg].from == GBT_BMS)
            order_n = first_time(order, order_n, msg);
        while (in.now_ms + 10 <= lines[i].at_ms)
            run(10);
        if (gbt_of_frame(f) >= 0 && gbt_msgs[gbt_of_frame(f)].from == GBT_CHARGER && in.rx_count < RX_MAX - 4)
            rx[in.rx_count++] = *f;
    }
    run(2000);
    CU_ASSERT_EQUAL(b.phase, end);
    CU_ASSERT_EQUAL(seen_n, order_n);
    CU_ASSERT_EQUAL(memcmp(seen, order, sizeof(order[0]) * (size_t)order_n), 0);
    CU_ASSERT_EQUAL(b.counts.bad_length + b.counts.unknown, 0);
    printf("\n    %s: ", name);
    for (int i = 0; i < seen_n; i++)
        printf("%s ", gbt_msgs[seen[i]].name);
    printf("as recorded, end %s ", gbt_phase_text(b.phase));
}

static void test_replay_lfp(void)
{
    replay("lfp152Ah_full_session.log.gz", GBT_DONE);
}

static void test_replay_measured(void)
{
    replay("charger_measured_fs_team.log.gz", GBT_ERROR);
}

/* With the word "recorded": the recorded sessions alone. */
int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a charge runs from the first CHM to the summary [AC-3]", test_order },
        { "every wait ends one millisecond past its limit, not at it", test_time_outs },
        { "the waits for a start, a stop and for readiness end too", test_other_time_outs },
        { "three reconnects are followed, the fourth is not", test_reconnects },
        { "a charger that starts again is followed from any phase, its error message ends the charge",
          test_restart_and_error_of_the_charger },
        { "a charger that gives more than was asked is stopped", test_lies },
        { "the contactor waits 3 s for a charger to ramp down, and for no more than 5 A [AC-3]", test_ramp_down },
        { "a pause lasts 10 minutes at most, an open contactor stops the charge", test_pause },
        { "BRM has 41 bytes without a software version, and waits for a deaf charger", test_short_brm_and_deaf_charger },
        { "cells and probes go out every 10 s and delay nothing [AC-3]", test_details },
        { "what finds no room on the bus goes out later", test_no_room },
        { "wrong lengths, strangers and noise do no harm", test_hostile_frames },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo recorded[] = {
        { "the charger of a recorded LFP session meets the same phases in the same order [AC-3]", test_replay_lfp },
        { "so does a measured charger that falls silent [AC-3]", test_replay_measured },
        CU_TEST_INFO_NULL,
    };

    if (argc == 2 && strcmp(argv[1], "recorded") == 0)
        return can_log_is_there() ? suite_run("gbt_bms_recorded", recorded) : CAN_LOG_SKIPPED;
    return suite_run("gbt_bms", tests);
}
