-- SPDX-License-Identifier: Apache-2.0
-- How long a tenant keeps its alarms; NULL goes by --alarm-days. Alarms may outlive the records, and the other way round.

ALTER TABLE tenant_retention ADD COLUMN alarm_days integer CHECK (alarm_days BETWEEN 1 AND 36500);
