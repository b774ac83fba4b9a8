"""What is said of a container client that failed."""

import pytest

from azext_acrscope.credentials import errors


@pytest.mark.parametrize(
    "said",
    [
        "Error saving credentials: rename /home/me/.docker/config.json1 /run/secrets/config.json: "
        "invalid cross-device link",
        "Error saving credentials: rename /home/user/.docker/config.json2 /home/user/.docker/config.json: "
        "device or resource busy",
    ],
)
def test_a_file_that_cannot_be_renamed_is_explained_with_the_way_around(said: str) -> None:
    """docker/cli#5553: a link to another file system; a container into which the file alone is mounted."""
    error = errors.client_failed("docker", "contoso.azurecr.io", 1, said)
    assert "a link to another file system" in error.recommendations[0]
    assert "az acr scope login --name contoso.azurecr.io --auth-file FILE" in error.recommendations[0]
