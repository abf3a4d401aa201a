#!/usr/bin/env bash
# Runs once, when the database is new: a role and a database for each service, and none may enter another's.
# The journal of customer-service is not its own: it may add to it, and change nothing that stands there.
set -euo pipefail
for name in coordinator order customer stock; do
  psql -v ON_ERROR_STOP=1 -U postgres -d postgres \
    -v role="orderwright_$name" -v password="$(cat "/run/orderwright/$name")" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE ALL ON DATABASE :"role" FROM PUBLIC;
SQL
done
psql -v ON_ERROR_STOP=1 -U postgres -d orderwright_customer -f /orderwright/postgres-seal.sql
