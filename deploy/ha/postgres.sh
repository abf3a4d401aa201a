#!/usr/bin/env bash
# Entry point of a database server of compose.ha.yaml. Decides at each start what the server is:
# - a standby, where another server already accepts writes, as a new copy of that server unless it was one before;
# - else the primary: on the first start the server named first, later the server that was the primary.
# A server that was the primary and finds another one in its place keeps its old data beside the new copy, for inspection.
set -euo pipefail
peers=${PEERS:?"names of all servers, separated by commas"}
name=$(hostname)
password=$(cat /run/orderwright/replication)
export PGDATA=/var/lib/postgresql/data/cluster

accepts_writes() { # the name of the server that does, other than this one
  local peer
  for peer in ${peers//,/ }; do
    [ "$peer" = "$name" ] && continue
    if [ "$(PGPASSWORD=$password PGCONNECT_TIMEOUT=3 psql -qtAX -h "$peer" -U replication -d postgres \
        -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; then echo "$peer" && return; fi
  done
  return 1
}

copy_from() {
  echo "This server becomes a copy of $1."
  if [ -e "$PGDATA" ]; then rm -rf "$PGDATA.old" && mv "$PGDATA" "$PGDATA.old"; fi
  rm -rf "$PGDATA.new"
  PGPASSWORD=$password gosu postgres pg_basebackup -h "$1" -U replication -D "$PGDATA.new" -X stream -c fast
  # Any of the servers may be the primary later: the receiver looks for the one that accepts writes.
  gosu postgres tee -a "$PGDATA.new/postgresql.auto.conf" >/dev/null <<CONF
primary_conninfo = 'host=$peers user=replication password=$password application_name=$name target_session_attrs=read-write connect_timeout=3'
CONF
  gosu postgres touch "$PGDATA.new/standby.signal"
  mv "$PGDATA.new" "$PGDATA"
}

chown postgres /var/lib/postgresql/data
if [ ! -e "$PGDATA/standby.signal" ]; then
  if primary=$(accepts_writes); then copy_from "$primary"
  elif [ ! -e "$PGDATA" ] && [ "$name" != "${peers%%,*}" ]; then
    until primary=$(accepts_writes); do sleep 1; done
    copy_from "$primary"
  fi
fi
# The scripts of the first start must not wait for standbys, of which there is none yet.
[ -e "$PGDATA" ] || export PGOPTIONS='-c synchronous_commit=local'
# A commit waits for one of the two other servers. The receivers name themselves after their servers.
others=$(tr , '\n' <<<"$peers" | grep -vx "$name" | paste -sd ,)
exec docker-entrypoint.sh postgres -c "synchronous_standby_names=ANY 1 ($others)" -c max_connections=200 \
  -c wal_keep_size=1GB -c hot_standby=on "$@"
