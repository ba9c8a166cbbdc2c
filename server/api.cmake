# SPDX-License-Identifier: Apache-2.0
# cw_http: HTTP and JSON, without what the product is about. cw_view: vehicles as the console sees them and their event stream, without a database;
# the local program (local/) is made of these two as well. cw_api: the console's side of the server. Included by CMakeLists.txt.

cw_library(cw_http SOURCES http/jsonw.c http/http.c http/http_answer.c http/http_listen.c http/http_route.c http/static.c
  LIBS cw_log cw_common microhttpd z Threads::Threads)
target_include_directories(cw_http SYSTEM PUBLIC ${PQ_INCLUDE}) # declarations only: store/db.h

cw_library(cw_view SOURCES
  api/api_events.c api/api_input.c api/api_render.c api/api_view.c api/auth_role.c api/catalogue.c ingest/decode.c api/events.c history/export.c api/fleet.c history/history.c api/history_http.c downlink/op_check.c stream/publish.c history/rollup.c ingest/summary.c
  stream/stream_hub.c stream/stream_http.c stream/stream_open.c stream/stream_read.c stream/stream_ring.c stream/stream_tick.c stream/stream_topic.c
  LIBS cw_http cw_log cw_clock cw_proto cw_common jansson sodium Threads::Threads)

cw_library(cw_api SOURCES
  api/api.c api/api_export.c api/api_fleet.c api/api_gaps.c api/api_health.c api/api_history.c api/api_ops.c api/api_refill.c api/api_running.c api/api_session.c api/api_stream.c api/api_users.c api/api_vehicle.c
  api/auth.c api/auth_limit.c api/auth_password.c api/auth_session.c api/user_store.c
  history/history_db.c http/http_pool.c
  LIBS cw_view cw_http cw_server cw_proto cw_common jansson sodium pq Threads::Threads)
