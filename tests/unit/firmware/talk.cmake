# SPDX-License-Identifier: Apache-2.0
cw_unit_test(test_uds_transfer SOURCES test_uds_transfer.c LIBS cw_firmware z)
