# Sourced by run.sh: the test suites that use servers, against the PostgreSQL 17 and RabbitMQ 4 of Debian 13. The suites run
# inside a container with both servers and the .NET of the SDK image, on the build of the working copy.

test_suites() {
  stack=
  has_image stand-in/debian:trixie || fail "The suites need the stand-ins of the private engine; unset DOCKER_HOST."
  docker build -q -t stand-in/suites - >/dev/null <<'D'
FROM mcr.microsoft.com/dotnet/sdk:10.0
RUN apt-get update -qq && apt-get install -yqq --no-install-recommends postgresql-17 rabbitmq-server procps util-linux >/dev/null
D
  took "an image with PostgreSQL 17, RabbitMQ 4 and .NET"
  local suite
  for suite in ${SUITES:-Conformance EndToEnd}; do
    [ -e "$home/tests/$suite/bin/Release/net10.0/Orderwright.$suite.dll" ] || fail "Build the suites first: ./orderwright build"
    check "$suite on PostgreSQL 17 and RabbitMQ 4" docker run --rm --init --shm-size 256m -v "$home:$home" -w "$home" \
      -e ORDERWRIGHT_REQUIRE_SERVERS=1 -e HOME=/root -e ORDERWRIGHT_HOME="$home" -e ORDERWRIGHT_BUILT=1 stand-in/suites \
      dotnet "tests/$suite/bin/Release/net10.0/Orderwright.$suite.dll" --no-progress ${FILTER:-}
    cp "$work/check.log" "$work/$suite.log"
    took "$suite ($work/$suite.log)"
  done
}
