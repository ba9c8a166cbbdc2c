# SPDX-License-Identifier: Apache-2.0
# What the board reads of its own inputs, and of itself.
foreach(module plug insulation plausible self_check self_test stack_mark)
  cw_unit_test(test_${module} SOURCES test_${module}.c LIBS cw_firmware_rig m)
endforeach()
