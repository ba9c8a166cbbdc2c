# SPDX-License-Identifier: Apache-2.0
# cw_http: HTTP and JSON, without what the product is about. cw_view: vehicles as the console sees them and their event stream, without a database;
# the local program (local/) is made of these two as well. cw_api: the console's side of the server. Included by CMakeLists.txt.

cw_library(cw_http SOURCES jsonw.c http.c http_answer.c http_listen.c http_route.c static.c
  LIBS cw_log cw_common microhttpd z Threads::Threads)
target_include_directories(cw_http SYSTEM PUBLIC ${PQ_INCLUDE}) # declarations only: db.h

cw_library(cw_view SOURCES
  api_events.c api_input.c api_render.c api_view.c auth_role.c catalogue.c decode.c events.c export.c fleet.c history.c history_http.c op_check.c publish.c rollup.c summary.c
  stream_hub.c stream_http.c stream_open.c stream_read.c stream_ring.c stream_tick.c stream_topic.c
  LIBS cw_http cw_log cw_clock cw_proto cw_common jansson sodium Threads::Threads)

cw_library(cw_api SOURCES
  api.c api_export.c api_fleet.c api_gaps.c api_health.c api_history.c api_ops.c api_refill.c api_running.c api_session.c api_stream.c api_vehicle.c
  auth.c auth_limit.c auth_session.c
  history_db.c http_pool.c
  LIBS cw_view cw_http cw_server cw_proto cw_common jansson sodium pq Threads::Threads)
