#!/usr/bin/env bash
# Installs Postgres, which the tests of the inbox start by themselves, from Debian's packages where it is missing.
# usage: tests/install-servers.sh [other programs, under the names of their packages]
set -euo pipefail
packages=()
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null || packages+=(postgresql)
for program in "$@"; do
    command -v "$program" >/dev/null || packages+=("$program")
done
[ ${#packages[@]} -gt 0 ] || exit 0
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
command -v apt-get >/dev/null || {
    echo "install ${packages[*]} yourself: this is no Debian. Or set UPVEST_SKIP_SERVERS=1 to leave out the tests that need Postgres" >&2
    exit 1
}
echo "installing ${packages[*]}"
# A test starts a server of its own: that of the package need not run.
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
