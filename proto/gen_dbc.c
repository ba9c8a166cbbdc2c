/* SPDX-License-Identifier: Apache-2.0 */
/* The DBC of CAN0, for any tool that reads one. Extended identifiers have bit 31 set, as the format wants. */
#include <stdio.h>
#include <string.h>

#include "proto/can0.h"
#include "proto/gen.h"

static uint8_t sender_of(unsigned number)
{
    return number == CAN0_CSU_Current ? CAN0_ADDR_CSU : number == CAN0_DTU_Clock || number == CAN0_SYNC ? CAN0_ADDR_DTU : CAN0_ADDR_BIU;
}

static const char *node_of(unsigned number)
{
    uint8_t a = sender_of(number);

    return a == CAN0_ADDR_CSU ? "CSU" : a == CAN0_ADDR_DTU ? "DTU" : "BIU";
}

static unsigned long dbc_id(unsigned number)
{
    return 0x80000000ul | CAN0_ID_FROM(number, sender_of(number));
}

static void message_line(unsigned number, const char *name, int index)
{
    if (index < 0)
        printf("\nBO_ %lu %s: 8 %s\n", dbc_id(number), name, node_of(number));
    else
        printf("\nBO_ %lu %s_%02d: 8 %s\n", dbc_id(number), name, index, node_of(number));
    printf(" SG_ checksum_%02X : 0|8@1+ (1,0) [0|255] \"\" Vector__XXX\n", number);
    printf(" SG_ counter_%02X : 8|8@1+ (1,0) [0|255] \"\" Vector__XXX\n", number);
}

static void messages(void)
{
    for (int m = 0; m < CAN0_MESSAGES; m++) {
        message_line(can0_messages[m].number, can0_messages[m].name, -1);
        for (int s = 0; s < CAN0_SIGNALS; s++) {
            const struct can0_signal_row *r = &can0_signals[s];

            if (r->message == can0_messages[m].number)
                printf(" SG_ %s : %u|%u@1%c (1,0) [%d|%d] \"%s\" Vector__XXX\n", r->name, r->start_bit, r->bits, r->kind == 'S' ? '-' : '+',
                       (int)r->min, (int)r->max, r->unit);
        }
    }
}

static void arrays(void)
{
    for (int a = 0; a < CAN0_ARRAYS; a++) {
        const struct can0_array_row *r = &can0_arrays[a];

        for (unsigned k = 0; k < r->count_max; k += r->per_message) {
            message_line(r->first_number + k / r->per_message, r->name, (int)(k / r->per_message));
            for (unsigned e = 0; e < r->per_message && k + e < r->count_max; e++)
                printf(" SG_ %s_%03u : %u|%u@1%c (1,0) [%d|%d] \"%s\" Vector__XXX\n", r->name, k + e + 1, 16 + e * r->bits, r->bits,
                       r->kind == 'S' ? '-' : '+', (int)r->min, (int)r->max, r->unit);
        }
    }
}

void gen_dbc(void)
{
    printf("VERSION \"1\"\n\nNS_ :\n\nBS_:\n\nBU_: BIU CSU DTU\n");
    messages();
    arrays();
    printf("\n");
    for (int s = 0; s < CAN0_SIGNALS; s++)
        printf("CM_ SG_ %lu %s \"%s\";\n", dbc_id(can0_signals[s].message), can0_signals[s].name, can0_signals[s].comment);
    for (int s = 0; s < CAN0_SIGNALS; s++) {
        int words = 0;

        for (size_t w = 0; w < enum_word_count; w++) {
            if (strcmp(enum_words[w].signal, can0_signals[s].name) != 0)
                continue;
            if (words++ == 0)
                printf("VAL_ %lu %s", dbc_id(can0_signals[s].message), can0_signals[s].name);
            printf(" %d \"%s\"", enum_words[w].value, enum_words[w].word);
        }
        if (words)
            printf(" ;\n");
    }
}
