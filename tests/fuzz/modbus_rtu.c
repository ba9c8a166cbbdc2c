/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes on RS485, in steps: the first byte says how many come in the next step. Frames get a right CRC now and then, so that what is behind it is
 * reached. Parameters stay inside their rows. */
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "firmware/core/talk/rs485.h"
#include "tests/unit/firmware/tester_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct tester_rig t;
    static struct rs485 line;
    uint8_t tx[RS485_TX_MAX], out[UDS_RESPONSE_MAX], frame[258];
    struct reader in = reader_of(data, n);

    tester_rig_init(&t);
    rs485_init(&line);
    while (reader_left(&in)) {
        size_t size = read_u8(&in);
        const uint8_t *request;
        bool right = size % 2;

        if (size > reader_left(&in))
            size = reader_left(&in);
        if (size)
            memcpy(frame, read_bytes(&in, size), size);
        if (right) {
            put_le16(frame + size, crc16_ibm(RS485_CRC_INIT, frame, size));
            size += 2;
        }
        if (rs485_step(&line, &t.uds, frame, size, 10, tx) > sizeof(tx))
            abort();
        if (right && rs485_step(&line, &t.uds, NULL, 0, 10, tx) > sizeof(tx))
            abort();
        size_t asked = uds_is_busy(&t.uds) ? 0 : rs485_take(&line, &request);

        if (asked > UDS_REQUEST_MAX || (asked && uds_request(&t.uds, request, asked, out) > sizeof(out)))
            abort();
        (void)uds_poll(&t.uds, 10, BIU_NVM_DONE, out);
    }
    for (int i = 0; i < PARAMS; i++)
        if (params_check((enum param)i, t.params.running[i]) != BMS_ERR_OK)
            abort();
    return 0;
}
