/* SPDX-License-Identifier: Apache-2.0 */
/* auth_limit.c -- see auth_limit.h. */
#include "server/api/auth_limit.h"

#include <string.h>

/* FNV-1a, never 0. */
static uint64_t hash(const char *text)
{
    uint64_t h = 0xCBF29CE484222325u;

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001B3u;
    return h == 0 ? 1 : h;
}

void auth_limit_init(struct auth_limit *limit)
{
    memset(limit, 0, sizeof *limit);
}

static uint64_t newest(const struct auth_limit_key *k)
{
    return k->count == 0 ? 0 : k->at_ms[k->count - 1];
}

static struct auth_limit_key *find(struct auth_limit *limit, uint64_t key)
{
    for (unsigned i = 0; i < AUTH_LIMIT_KEYS; i++) {
        if (limit->keys[i].key == key)
            return &limit->keys[i];
    }
    return NULL;
}

static struct auth_limit_key *find_or_make(struct auth_limit *limit, uint64_t key)
{
    struct auth_limit_key *quietest = &limit->keys[0];
    struct auth_limit_key *k = find(limit, key);

    if (k != NULL)
        return k;
    for (unsigned i = 1; i < AUTH_LIMIT_KEYS; i++) {
        if (newest(&limit->keys[i]) < newest(quietest))
            quietest = &limit->keys[i];
    }
    *quietest = (struct auth_limit_key) { .key = key };
    return quietest;
}

static void drop_oldest(struct auth_limit_key *k)
{
    memmove(k->at_ms, k->at_ms + 1, (k->count - 1) * sizeof k->at_ms[0]);
    k->count--;
}

unsigned auth_limit_take(struct auth_limit *limit, const char *key, uint64_t now_ms)
{
    struct auth_limit_key *k = find_or_make(limit, hash(key));

    while (k->count > 0 && now_ms - k->at_ms[0] >= AUTH_LIMIT_WINDOW_MS)
        drop_oldest(k);
    if (k->count == AUTH_LIMIT_FAILURES)
        return (unsigned)((AUTH_LIMIT_WINDOW_MS - (now_ms - k->at_ms[0]) + 999) / 1000);
    k->at_ms[k->count++] = now_ms;
    return 0;
}

void auth_limit_forgive(struct auth_limit *limit, const char *key, int all)
{
    struct auth_limit_key *k = find(limit, hash(key));

    if (k == NULL)
        return;
    if (all || k->count <= 1)
        *k = (struct auth_limit_key) { .key = 0 };
    else
        k->count--;
}
