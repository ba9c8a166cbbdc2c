# SPDX-License-Identifier: Apache-2.0
# The HTTP side of the server.
cw_unit_test(test_http SOURCES test_http.c LIBS cw_api cw_http)
foreach(module http_route jsonw static)
  cw_unit_test(test_${module} SOURCES test_${module}.c LIBS cw_http)
endforeach()
foreach(module auth auth_password history stream_hub api_input api_view api_render)
  cw_unit_test(test_${module} SOURCES test_${module}.c LIBS cw_api cw_http cw_server)
endforeach()
