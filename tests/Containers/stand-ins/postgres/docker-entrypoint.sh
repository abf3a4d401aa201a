#!/usr/bin/env bash
# The documented behaviour of the official image. As root: hand PGDATA to the user postgres, and continue as that user. On an
# empty PGDATA: create a cluster with the password, and run the scripts of the folder (those without an execute bit are
# sourced) on a server that listens on its socket only, with the arguments of the server to come.
set -Eeo pipefail
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres "$PGDATA"; chmod 700 "$PGDATA"
  exec gosu postgres "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=${POSTGRES_PASSWORD:-$(cat "$POSTGRES_PASSWORD_FILE")}
  initdb -U postgres --auth-local=trust --auth-host=scram-sha-256 --pwfile=<(printf '%s\n' "$password") >/dev/null
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -w -o "$(printf '%q ' "${@:2}" -c listen_addresses=)" start
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh) if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
      *.sql) psql -v ON_ERROR_STOP=1 -U postgres -d postgres -f "$script" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -w -m fast stop
fi
exec "$@"
