#!/usr/bin/env bash
# Lets tools that nobody here wrote try the sandbox: Upvest's own Python client, a generated one, a browser, and an OpenAPI
# fuzzer.
# usage: tests/sandbox/other-tools/run.sh [examples for each operation, 5 unless given]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
sandbox=
finish() {
    [ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

# Starts a sandbox and takes over what it prints for the environment.
start() {
    # The program opens its file later than the next line reads it, so what the last one printed must be gone.
    rm -f "$work/out"
    "$target/debug/upvest-sandbox" --port 0 "$@" >"$work/out" &
    sandbox=$!
    for _ in $(seq 100); do
        grep -qs '^curl' "$work/out" && break
        sleep 0.1
    done
    grep -q '^curl' "$work/out" || { echo "the sandbox has not started in 10 s"; exit 1; }
    eval "$(grep '^export ' "$work/out")"
}

stop() {
    kill "$sandbox"
    wait "$sandbox"
    sandbox=
}

target=${CARGO_TARGET_DIR:-$root/target}
venv=$target/fuzz-venv
python3 -m venv "$venv"
if ! "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >"$work/pip" 2>&1; then
    tail -n 3 "$work/pip"
    echo "the packages of requirements.txt cannot be installed: none of the tools has run"
    exit 1
fi
cargo build --quiet --manifest-path "$root/Cargo.toml" --package upvest-sandbox

echo "-- the official client, every request signed"
start
"$venv/bin/python" "$here/official_client.py"
# The code of the guide's paragraph on signatures.
sed '1,/^## Signatures/d' "$here/../guides/python.md" | sed -n '/^```python/,/^```$/{/^```/d;p}' \
    >"$work/signatures.py"
"$venv/bin/python" "$work/signatures.py"
stop

# Writes a client for a description, as a package with this name.
generate() {
    "$venv/bin/openapi-generator-cli" generate -g python -i "$1" -o "$work/$2" --package-name "$2" \
        >"$work/generator" 2>&1 || { tail -n 5 "$work/generator"; exit 1; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$work/$2/requirements.txt"
}

echo "-- a generated Python client, without signatures"
generate "$root/spec/upvest-investment-api.yaml" upvest_generated
start --no-signatures
SANDBOX_URL=$UPVEST_ENVIRONMENT PYTHONPATH=$work/upvest_generated "$venv/bin/python" "$here/generated_client.py"
stop

echo "-- a client generated from Upvest's own description"
official=$root/tests/fixtures/official/official-1.9.0.json
generate "$official" official_generated
start --no-signatures --speed 0 --description "$official" --overlay "$root/spec/official-overlay.yaml" \
    --lifecycles "$here/../lifecycles/official.yaml"
SANDBOX_URL=$UPVEST_ENVIRONMENT PYTHONPATH=$work/official_generated \
    "$venv/bin/python" "$here/official_generated_client.py"
stop

echo "-- the status page in a browser"
command -v chromium >/dev/null || { echo "there is no chromium: tests/install-servers.sh chromium installs it"; exit 1; }
start --speed 0
"$venv/bin/python" "$here/status_page.py"
stop

echo "-- the fuzzer, without signatures"
start --no-signatures
export SANDBOX_URL=$UPVEST_ENVIRONMENT
token=$("$venv/bin/python" "$here/populate.py")
cp "$here/hooks.py" "$work/"
cd "$work"
# Errors are problem documents unless JSON alone is asked for; the vendored description knows JSON alone.
timeout 600 "$venv/bin/schemathesis" --config-file "$here/schemathesis.toml" run \
    "$root/spec/upvest-investment-api.yaml" --url "$UPVEST_ENVIRONMENT" --header "Authorization: Bearer $token" \
    --header "Accept: application/json" \
    --max-examples "${1:-5}" --no-color
stop
