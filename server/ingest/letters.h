/* SPDX-License-Identifier: Apache-2.0 */
/* letters.h -- messages to be published, from any thread to the one that owns the connection. Bounded, copied, never waits.
 *
 * Two blocks of bytes: one is written, one is read; when the reader has finished its own they change places. So a message costs a copy and no memory
 * of its own, and nothing is freed message by message.
 */
#ifndef SERVER_LETTERS_H
#define SERVER_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct letters;

struct letter { /* points into the reader's block: valid until letters_done() */
    const char *topic;
    const uint8_t *bytes;
    size_t size;
};

/* max_bytes: of each block, topics included. NULL when there is no memory. */
struct letters *letters_create(size_t max_bytes);
void letters_destroy(struct letters *letters);

/* Returns 0; 1 when there was none before (wake the reader); BMS_ERR_NOSPACE when full. */
int letters_put(struct letters *letters, const char *topic, const uint8_t *bytes, size_t size);

/* Reader: the oldest one, which stays until letters_done(). False when there is none. */
bool letters_first(struct letters *letters, struct letter *out);
void letters_done(struct letters *letters);

/* Reader: drop all. */
void letters_clear(struct letters *letters);

#endif
