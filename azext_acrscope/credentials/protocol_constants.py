"""The words of docker's credential helper protocol (github.com/docker/docker-credential-helpers)."""

# A refresh token is answered under the user name that registries expect with it, and not as `<token>`, which means the
# same to docker, podman, helm and oras, but is a mere user name to oras-py and others.
TOKEN_USERNAME = "00000000-0000-0000-0000-000000000000"  # noqa: S105  (a user name)
IDENTITY_TOKEN_USERNAME = "<token>"  # noqa: S105  (docker stores an identity token under this user name)
# These texts mean something to clients, to the letter: the first lets them go on without a credential.
NOT_FOUND_TEXT = "credentials not found in native keychain"
NO_SERVER_TEXT, NO_USERNAME_TEXT = "no credentials server URL", "no credentials username"
