/* SPDX-License-Identifier: Apache-2.0 */
/* gen.h -- the printers of the generator; each writes one file to standard output from the rows of the tables. Build time only. */
#ifndef PROTO_GEN_H
#define PROTO_GEN_H

#include <stddef.h>

void gen_dbc(void);
void gen_ids_proto(void);
void gen_catalogue(void);
void gen_signals_page(void);
void gen_params_page(void);
void gen_alarms_page(void);
void gen_modbus_page(void);
void gen_vehicle_dbc(void);
void gen_vehicle_page(void);

struct enum_word {
    const char *signal;
    int value;
    const char *word;
};
extern const struct enum_word enum_words[];
extern const size_t enum_word_count;

#endif
