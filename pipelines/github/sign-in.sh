#!/bin/sh
# Signs a job of GitHub Actions in to a registry. action.yml runs it, and hands over its inputs in ACRSCOPE_ variables.
set -eu

fail() {
    printf '::error title=acrscope::%s\n' "$1"
    exit 1
}

# check INPUT VALUE CHARACTERS: refuses a value with anything else in it, without repeating it.
check() (
    LC_ALL=C
    case $2 in
    -* | *' -'* | *..* | *[!$3]*) fail "The input '$1' has characters that it cannot have." ;;
    esac
)

[ -n "$ACRSCOPE_REGISTRY" ] || fail "The input 'registry' is missing: the login server, such as contoso.azurecr.io."
check registry "$ACRSCOPE_REGISTRY" 'A-Za-z0-9.-'
check repository "$ACRSCOPE_REPOSITORY" 'a-z0-9._/ -'
check permission "$ACRSCOPE_PERMISSION" 'a-z -'
check client-id "$ACRSCOPE_CLIENT_ID" 'A-Za-z0-9-'
check tenant-id "$ACRSCOPE_TENANT_ID" 'A-Za-z0-9.-'
check credential "$ACRSCOPE_CREDENTIAL" 'a-z-'
check version "$ACRSCOPE_VERSION" 'a-z0-9.'
check wheel "$ACRSCOPE_WHEEL" 'A-Za-z0-9._/\\: +-'
command -v az >/dev/null || fail "There is no Azure CLI (az) on this runner. GitHub's own images have it."

# The extension, of this action's own version.
wheel=$ACRSCOPE_WHEEL
if [ -z "$wheel" ]; then
    release=https://github.com/acrscope/acrscope/releases/download/v$ACRSCOPE_VERSION
    wheel=$release/acrscope-$ACRSCOPE_VERSION-py3-none-any.whl
elif [ ! -f "$wheel" ]; then
    fail "The input 'wheel' names no file. Does an earlier step check it out or download it?"
fi
az extension add --upgrade --yes --only-show-errors --source "$wheel"

# A place that ends with the job: the runner empties its temporary folder. docker, podman, skopeo, buildah, helm and oras
# read DOCKER_CONFIG. What earlier steps left in docker's own folder stays in use: its configuration is copied, because
# sign-in changes it; plug-ins, contexts and builders are linked.
case ${DOCKER_CONFIG:-} in
"$RUNNER_TEMP"/acrscope.*) ;; # an earlier run of this step
*)
    before=${DOCKER_CONFIG:-$HOME/.docker}
    DOCKER_CONFIG=$(mktemp -d "$RUNNER_TEMP/acrscope.XXXXXXXX")
    for each in "$before"/*; do
        case $each in
        */config.json) (umask 077 && cat "$each" >"$DOCKER_CONFIG/config.json") ;;
        *) [ ! -e "$each" ] || ln -s "$each" "$DOCKER_CONFIG" ;;
        esac
    done
    printf 'DOCKER_CONFIG=%s\n' "$DOCKER_CONFIG" >>"$GITHUB_ENV"
    ;;
esac
export DOCKER_CONFIG

set -- --name "$ACRSCOPE_REGISTRY" --credential "${ACRSCOPE_CREDENTIAL:-github-actions}"
[ -z "$ACRSCOPE_CLIENT_ID" ] || set -- "$@" --client-id "$ACRSCOPE_CLIENT_ID"
[ -z "$ACRSCOPE_TENANT_ID" ] || set -- "$@" --tenant "$ACRSCOPE_TENANT_ID"
# shellcheck disable=SC2086  # several words, without any character that a shell knows
[ -z "$ACRSCOPE_REPOSITORY" ] || set -- "$@" --repository $ACRSCOPE_REPOSITORY
# shellcheck disable=SC2086
[ -z "$ACRSCOPE_PERMISSION" ] || set -- "$@" --permission $ACRSCOPE_PERMISSION
answer=$(az acr scope login "$@" --query '[loginServer, expiresOn]' --output tsv)
answer=$(printf %s "$answer" | tr -d '\r') # on Windows
login_server=${answer%%[!A-Za-z0-9.-]*}
expires_on=${answer##*[!A-Za-z0-9:+.-]}
printf '%s\n' "$login_server" >>"$DOCKER_CONFIG/acrscope-login-servers"
printf 'login-server=%s\nexpires-on=%s\n' "$login_server" "$expires_on" >>"$GITHUB_OUTPUT"

# No later step that prints the file shows a credential, in any of the forms that are in it.
secrets=$(grep -Eo '"(auth|identitytoken)": *"[^"]+"' "$DOCKER_CONFIG/config.json" 2>/dev/null | cut -d '"' -f 4) || true
for secret in $secrets; do
    printf '::add-mask::%s\n' "$secret"
    plain=$(printf %s "$secret" | base64 -d 2>/dev/null | tr -d '\0') || true
    case $plain in
    ?*:?*) printf '::add-mask::%s\n' "${plain#*:}" ;;
    esac
done
