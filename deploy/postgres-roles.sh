#!/usr/bin/env bash
# Runs once, on a new database server: creates a role and a database per service, without access to the others.
# The journal of customer-service belongs to another role: customer-service may append, but not change rows.
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
