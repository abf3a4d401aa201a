#!/usr/bin/env bash
# Runs once, on the first server of compose.ha.yaml: lets the others copy it.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -U postgres -d postgres -v password="$(cat /run/orderwright/replication)" <<'SQL'
CREATE ROLE replication LOGIN REPLICATION PASSWORD :'password';
SQL
echo 'host replication replication all scram-sha-256' >>"$PGDATA/pg_hba.conf"
