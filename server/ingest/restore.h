/* SPDX-License-Identifier: Apache-2.0 */
/* restore.h -- what the database knows, into the fleet table, when the server starts. */
#ifndef SERVER_RESTORE_H
#define SERVER_RESTORE_H

#include "server/api/fleet.h"
#include "server/store/db.h"

/* Newest samples, start of their alarms, reported parameter hashes. Tells no events. Returns 0 or BMS_ERR_IO. */
int restore_fleet(struct db *db, struct fleet *fleet);

#endif
