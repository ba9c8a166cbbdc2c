/* SPDX-License-Identifier: Apache-2.0 */
/* http_answer.h -- turn an answered exchange into a response on the wire. Only http.c calls this; handlers see http.h. */
#ifndef SERVER_HTTP_ANSWER_H
#define SERVER_HTTP_ANSWER_H

#include "server/http/http.h"

/* Queue the answer with its headers; JSON of 1 kB and more is gzipped for those who accept it. An exchange nobody answered is a 500. */
enum MHD_Result http_answer_send(struct http_exchange *ex);

#endif
