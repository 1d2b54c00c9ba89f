#!/usr/bin/env bash
# Installs what the tests of shared stores start by themselves, where it is missing: Redis and Postgres, from Debian's packages.
# usage: tests/install-servers.sh [other programs, under the names of their packages]
set -euo pipefail
packages=()
command -v redis-server valkey-server >/dev/null || packages+=(redis-server)
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null || packages+=(postgresql)
for program in "$@"; do
    command -v "$program" >/dev/null || packages+=("$program")
done
[ ${#packages[@]} -gt 0 ] || exit 0
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
command -v apt-get >/dev/null || {
    echo "install ${packages[*]} yourself: this is no Debian. Or set UPVEST_SKIP_SERVERS=1 to leave out the tests that need them" >&2
    exit 1
}
echo "installing ${packages[*]}"
# A test starts servers of its own: those of the packages need not run.
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
