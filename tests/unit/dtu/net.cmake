# SPDX-License-Identifier: Apache-2.0
# Tests of the MQTT client and the link.
foreach(module mqtt_packet mqtt_frame mqtt_session mqtt_messages link)
  cw_unit_test(test_${module} SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${module}.c ${CMAKE_CURRENT_LIST_DIR}/mqtt_rig.c LIBS cw_dtu_mqtt)
endforeach()
