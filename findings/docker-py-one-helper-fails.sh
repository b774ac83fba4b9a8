#!/bin/sh
# docker-py builds no image while the credential helper of one registry fails, whichever registry the image is from.
#
# With:     docker 7.2.0 (PyPI), Python 3.10 or newer. Seen on 2026-11-28.
# Expected: `build` sends along the credentials of all registries that config.json names. docker's own CLI leaves out a
#           registry whose helper fails, and goes on (cli/config/configfile, GetAllCredentials).
# Seen:     get_all_credentials, which `build` calls, raises DockerException as soon as one helper says anything but
#           "credentials not found in native keychain".
# So what:  a helper for many registries must fail fast, and a registry that is down stops builds that need another one.
#
# Everything happens in a temporary folder. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check docker==7.2.0
cat >"$folder/venv/bin/docker-credential-example" <<'END'
#!/bin/sh
read -r host
case $host in
down.example.com) echo "down.example.com gave no answer" && exit 1 ;;
*) printf '{"ServerURL": "%s", "Username": "user", "Secret": "secret"}\n' "$host" ;;
esac
END
chmod +x "$folder/venv/bin/docker-credential-example"
printf '{"credHelpers": {"up.example.com": "example", "down.example.com": "example"}}' >"$folder/config.json"
PATH=$folder/venv/bin:$PATH "$folder/venv/bin/python" - "$folder/config.json" <<'END'
import sys

import docker

config = docker.auth.load_config(sys.argv[1])
print("up.example.com alone:", config.resolve_authconfig("up.example.com")["Username"])
try:
    found = config.get_all_credentials()
except docker.errors.DockerException as error:
    print("all of them:", type(error).__name__, error)
    raise SystemExit(0)
print("all of them:", sorted(found))
raise SystemExit(1)
END
