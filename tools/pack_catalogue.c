/* SPDX-License-Identifier: Apache-2.0 */
/* cw_pack_catalogue FILE -- print catalogue.json, packed, as a C source of `board_catalogue`. Build time only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PLAIN_MAX = 1 << 20, PER_LINE = 20, LEVEL = 9 };

static unsigned char plain[PLAIN_MAX], packed[PLAIN_MAX + 1024];

static int fail(const char *what, const char *name)
{
    fprintf(stderr, "cw_pack_catalogue: %s: %s\n", name, what);
    return 1;
}

static void print(unsigned long hash, size_t plain_size, size_t packed_size)
{
    printf("/* SPDX-License-Identifier: Apache-2.0 */\n/* Made from catalogue.json by the build. */\n#include \"proto/catalogue.h\"\n\n"
           "static const uint8_t packed[] = {");
    for (size_t i = 0; i < packed_size; i++)
        printf("%s%u,", i % PER_LINE ? "" : "\n", packed[i]);
    printf("\n};\n\nconst struct catalogue board_catalogue = { .hash = 0x%08lxu, .plain_size = %zu, .packed_size = sizeof(packed), .packed "
           "= packed };\n",
           hash, plain_size);
}

int main(int argc, char **argv)
{
    static const char begins[] = "{\"hash\":\"";
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    uLongf packed_size = sizeof(packed);

    if (!f)
        return fail("cannot be read", argc == 2 ? argv[1] : "usage: cw_pack_catalogue FILE");
    size_t n = fread(plain, 1, sizeof(plain) - 1, f);

    fclose(f);
    if (strncmp((const char *)plain, begins, strlen(begins)) != 0 || n == sizeof(plain) - 1)
        return fail("is no catalogue, or too large", argv[1]);
    if (compress2(packed, &packed_size, plain, (uLong)n, LEVEL) != Z_OK)
        return fail("cannot be packed", argv[1]);
    print(strtoul((const char *)plain + strlen(begins), NULL, 16), n, packed_size);
    return 0;
}
