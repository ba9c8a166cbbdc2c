/* SPDX-License-Identifier: Apache-2.0 */
/* The DBC of CAN1 and the page docs/vehicle-bus.md. */
#include <stdio.h>

#include "proto/gen.h"
#include "proto/vehicle.h"

enum { PAYLOAD_BIT = 12 };

static const char *node(enum vehicle_node n)
{
    return n == VEHICLE_VCU ? "VCU" : "BMS";
}

static const char *receiver(enum vehicle_node sender)
{
    return node(sender == VEHICLE_VCU ? VEHICLE_BMS : VEHICLE_VCU);
}

static void message_line(unsigned id, const char *name, int index, enum vehicle_node from)
{
    char whole[64];

    if (index < 0)
        snprintf(whole, sizeof(whole), "%s", name);
    else
        snprintf(whole, sizeof(whole), "%s_%02d", name, index);
    printf("\nBO_ %u %s: 8 %s\n", id, whole, node(from));
    printf(" SG_ crc_%03X : 0|8@1+ (1,0) [0|255] \"\" %s\n", id, receiver(from));
    printf(" SG_ counter_%03X : 8|4@1+ (1,0) [0|14] \"\" %s\n", id, receiver(from));
}

static void messages(void)
{
    for (int m = 0; m < VEHICLE_MESSAGES; m++) {
        const struct vehicle_message_row *w = &vehicle_messages[m];

        message_line(w->id, w->name, -1, w->from);
        for (int s = 0; s < VEHICLE_SIGNALS; s++) {
            const struct vehicle_signal_row *r = &vehicle_signals[s];

            if ((int)r->message == m)
                printf(" SG_ %s : %u|%u@1%c (1,0) [%d|%d] \"%s\" %s\n", r->name, r->start_bit, r->bits, r->kind == 'S' ? '-' : '+',
                       (int)r->min, (int)r->max, r->unit, receiver(w->from));
        }
    }
}

static void arrays(void)
{
    for (int a = 0; a < VEHICLE_ARRAYS; a++) {
        const struct vehicle_array_row *r = &vehicle_arrays[a];

        for (unsigned k = 0; k < r->count_max; k += r->per_message) {
            message_line(r->first_id + k / r->per_message, r->name, (int)(k / r->per_message), VEHICLE_BMS);
            for (unsigned e = 0; e < r->per_message && k + e < r->count_max; e++)
                printf(" SG_ %s_%03u : %u|%u@1%c (1,0) [%d|%d] \"%s\" VCU\n", r->name, k + e + 1, PAYLOAD_BIT + e * r->bits, r->bits,
                       r->kind == 'S' ? '-' : '+', (int)r->min, (int)r->max, r->unit);
        }
    }
}

void gen_vehicle_dbc(void)
{
    printf("VERSION \"1\"\n\nNS_ :\n\nBS_:\n\nBU_: BMS VCU\n");
    messages();
    arrays();
    printf("\n");
    for (int m = 0; m < VEHICLE_MESSAGES; m++)
        printf("CM_ BO_ %u \"%s; every %u ms\";\n", vehicle_messages[m].id, vehicle_messages[m].comment, vehicle_messages[m].period_ms);
    for (int s = 0; s < VEHICLE_SIGNALS; s++)
        printf("CM_ SG_ %u %s \"%s\";\n", vehicle_messages[vehicle_signals[s].message].id, vehicle_signals[s].name,
               vehicle_signals[s].comment);
}

static void page_head(void)
{
    printf(
        "# The vehicle bus, CAN1\n\nMade from `proto/vehicle.def` by the build; edit the rows, not this page. "
        "`build/*/proto/cellwarden_vehicle.dbc` is made from the same rows.\n\n"
        "500 kbit/s, 11-bit identifiers, 8 bytes, Intel byte order. Values are in the unit of the row; the top codes of a range (kind U) "
        "and the bottom ones (kind S) say why\nthere is no value: 1 never received, 2 stale, 3 sensor open, 4 implausible, 5 not fitted "
        "(`proto/validity.h`). Kind B is plain bits.\n\n");
    printf("Every frame is protected as by AUTOSAR E2E profile 1A: byte 0 is a CRC-8 (polynomial 0x1D, start 0x00, not inverted) over the "
           "low and the high byte of the data id\n0x5700 + identifier, which is not sent, and bytes 1 to 7; the low half of byte 1 counts "
           "0 to 14.\n\n");
    printf(
        "The schedule is static: a second has 100 slots of 10 ms, each with BMS_Safety, at most one other row and at most one message of "
        "an array; a row is sent in the\nslots that it names modulo its period. Array messages that hold nothing fitted are left out.\n\n");
    printf("With parameter `vcu_orders` = 1 the pack connects only while VCU_Orders allow it. A frame counts when its CRC is right and its "
           "counter is 1 to 3 ahead of the last\none. Without one for `vcu_silent_limit` (500 ms) nothing is allowed any more: the alarm "
           "`vcu_silent` comes, less power and then none is asked for, and the\ncontactors open as when KeyOn goes.\n\n");
}

void gen_vehicle_page(void)
{
    page_head();
    printf(
        "| message | id | from | ms | slot | signal | bits | unit | range | meaning |\n| --- | --- | --- | --- | --- | --- | --- | --- | "
        "--- | --- |\n");
    for (int s = 0; s < VEHICLE_SIGNALS; s++) {
        const struct vehicle_signal_row *r = &vehicle_signals[s];
        const struct vehicle_message_row *w = &vehicle_messages[r->message];

        printf("| %s | 0x%03X | %s | %u | %u | `%s` | %u at %u, %c | %s | %d to %d | %s |\n", w->name, w->id, node(w->from), w->period_ms,
               w->slot, r->name, r->bits, r->start_bit, r->kind, r->unit, (int)r->min, (int)r->max, r->comment);
    }
    printf(
        "\n| array | first id | per message | bits | unit | range | most | meaning |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int a = 0; a < VEHICLE_ARRAYS; a++) {
        const struct vehicle_array_row *r = &vehicle_arrays[a];

        printf("| `%s` | 0x%03X | %u | %u, %c | %s | %d to %d | %u | %s |\n", r->name, r->first_id, r->per_message, r->bits, r->kind,
               r->unit, (int)r->min, (int)r->max, r->count_max, r->comment);
    }
}
