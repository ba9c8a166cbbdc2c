/* SPDX-License-Identifier: Apache-2.0 */
/* truth.h -- the file that a simulated pack writes so that others can prove that nothing was lost: one entry for each sample the board took.
 *
 * Little-endian, no padding: 8 bytes "CWTRUTH1", then per sample
 *   u32 boot, u32 no, u64 utc_ms, u16 cells, u16 temps,
 *   u16 world_mV[cells]     what the cell was (0xFFFF: the log had no value there)
 *   u16 measured_mV[cells]  what the board put into the sample (validity.h codes)
 *   i16 measured_ddegC[temps]
 * Entries are appended whole and flushed; a torn last entry is ignored by readers.
 */
#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#define TRUTH_MAGIC "CWTRUTH1"

enum { TRUTH_HEAD = 8, TRUTH_ENTRY_HEAD = 4 + 4 + 8 + 2 + 2 };

#endif
