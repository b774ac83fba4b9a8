#!/bin/sh
# Removes what sign-in.sh of the same job stored; does nothing where that stored nothing.
set -eu

case ${DOCKER_CONFIG:-} in
"$RUNNER_TEMP"/acrscope.*) ;;
*) exit 0 ;;
esac
[ -f "$DOCKER_CONFIG/acrscope-login-servers" ] || exit 0
set --
while IFS= read -r login_server; do
    set -- "$@" "$login_server"
done <"$DOCKER_CONFIG/acrscope-login-servers"
az acr scope logout --name "$@" --output none
rm "$DOCKER_CONFIG/acrscope-login-servers"
