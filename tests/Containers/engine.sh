# Sourced by run.sh: a Docker Engine for the tests, and stand-ins for the base images.
#
# With DOCKER_HOST set, that engine is used, and pulls the base images from their registry. Otherwise a private engine from
# Debian's packages starts, with its own socket, data and addresses, and Debian 13 provides stand-ins under the names of the
# base images: .NET of this machine, PostgreSQL 17, RabbitMQ 4 and HAProxy 3.0, with the users, volumes and entry points that
# the official images document. The engine needs root on Debian 12 or 13. Its images stay in $work for the next run.

stand_ins=$here/stand-ins
images=(mcr.microsoft.com/dotnet/sdk:10.0 mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled postgres:17 rabbitmq:4 haproxy:3.0)

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

start_engine() {
  if [ -n "${DOCKER_HOST:-}" ]; then
    docker compose version >/dev/null || fail "The engine at DOCKER_HOST needs Docker Compose 2.24 or later."
    return
  fi
  [ "$(id -u)" -eq 0 ] || fail "A private Docker Engine needs root. Run as root, or set DOCKER_HOST to a running engine."
  command -v apt-get >/dev/null || fail "The private Docker Engine comes from Debian's packages, and there is no apt-get here. \
Set DOCKER_HOST to a running engine."
  mkdir -p "$work"/{run,apt/lists/partial,config/cli-plugins}
  install_engine
  export DOCKER_HOST=unix://$work/run/docker.sock DOCKER_CONFIG=$work/config BUILDKIT_PROGRESS=plain
  rm -f "$work/run/docker.pid"
  # Addresses of its own, so that an engine already on this machine is not disturbed.
  nohup dockerd --data-root "$work/data" --exec-root "$work/run/exec" --pidfile "$work/run/docker.pid" -H "$DOCKER_HOST" \
    --bip 172.31.251.1/24 --default-address-pool base=172.31.252.0/22,size=26 --storage-driver overlay2 \
    >"$work/dockerd.log" 2>&1 &
  engine=$!
  local attempt
  for attempt in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
  docker info --format 'Engine {{.ServerVersion}} ({{.Driver}}).' || { tail -n 5 "$work/dockerd.log" >&2; exit 1; }
  build_stand_ins
}

stop_engine() {
  [ -z "${engine:-}" ] || { kill "$engine" 2>/dev/null && wait "$engine" 2>/dev/null; } || true
}

# The Debian mirror that this machine uses.
mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb (\[[^]]*\] )?([^ ]+).*/\2/p' | grep '/debian/*$' | head -n 1
}

install_engine() {
  local missing=() pair policy=/usr/sbin/policy-rc.d
  for pair in dockerd:docker.io iptables:iptables mmdebstrap:mmdebstrap curl:curl; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "Installing ${missing[*]}…"
    # The packages must not start an engine of their own.
    local is_ours=
    [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; is_ours=1; }
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends "${missing[@]}" >"$work/apt.log" 2>&1 ||
      { [ -z "$is_ours" ] || rm $policy; tail -n 5 "$work/apt.log" >&2; fail "Installing ${missing[*]} failed."; }
    [ -z "$is_ours" ] || rm $policy
  fi
  # Compose 2 came with Debian 13, and needs no more than Debian 12's libc: unpacked, not installed.
  local plugin=$work/config/cli-plugins/docker-compose
  [ ! -x "$plugin" ] || return 0
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) trixie main" >"$work/apt/sources.list"
  local apt=(-qq -o "Dir::Etc::SourceList=$work/apt/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$work/apt/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root -o Acquire::Languages=none)
  (cd "$work/apt" && apt-get "${apt[@]}" update && apt-get "${apt[@]}" download docker-compose &&
    dpkg -x docker-compose_*.deb unpacked && cp unpacked/usr/libexec/docker/cli-plugins/docker-compose "$plugin")
}

# BuildKit and Compose take a local image before they ask a registry.
build_stand_ins() {
  local image complete=1
  for image in "${images[@]}"; do has_image "$image" || complete=; done
  [ -z "$complete" ] || return 0
  say "Building stand-ins for the base images…"
  local context=$work/stand-ins dotnet
  rm -rf "$context" && cp -r "$stand_ins" "$context"
  has_image stand-in/debian:trixie ||
    debian --variant=minbase --include=ca-certificates,tzdata | docker import - stand-in/debian:trixie >/dev/null
  # Only what .NET needs: no shell, no package manager.
  has_image stand-in/chiseled:trixie ||
    debian --variant=extract --include=base-files,libc6,libgcc-s1,libstdc++6,libssl3t64,zlib1g \
      --customize-hook='rm -rf "$1"/usr/share/{doc,man,locale,bash-completion,lintian} "$1"/usr/{bin,sbin} "$1"/var/lib/{dpkg,apt}' |
      docker import - stand-in/chiseled:trixie >/dev/null
  dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
  bring "$dotnet" "$context/dotnet/runtime" dotnet host shared
  bring "$dotnet" "$context/dotnet/sdk" sdk sdk-manifests packs templates
  cp -L /etc/ssl/certs/ca-certificates.crt "$context/dotnet/"
  docker compose -f "$context/compose.yaml" build >"$work/stand-ins.log" 2>&1 ||
    { tail -n 30 "$work/stand-ins.log" >&2; fail "The stand-ins were not built."; }
  rm -rf "$context"
}

debian() {
  mmdebstrap --quiet --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' "$@" trixie - "$(mirror)" \
    2>"$work/mmdebstrap.log" || { tail -n 5 "$work/mmdebstrap.log" >&2; return 1; }
}

# Hard links, where the file system allows them.
bring() {
  local from=$1 to=$2
  shift 2
  mkdir -p "$to"
  (cd "$from" && { cp -al "$@" "$to/" 2>/dev/null || cp -a "$@" "$to/"; })
}
