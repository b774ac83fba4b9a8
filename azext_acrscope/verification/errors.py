"""The errors and sentences of this room: what happened, why, and the command to type next."""

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureInternalError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, counted, registries, sentence, subscriptions

_GIVE_ROLE = (
    "Run the check as an identity that can pull: `az role assignment create --role AcrPull --assignee IDENTITY --scope "
    "{id}`. A new role can take ten minutes to arrive."
)


def probe_agrees(status: str, arm_accepted: bool) -> str:
    """Return the observation of a login server that does what the status says."""
    return sentence(f"{_both_tokens(arm_accepted)}, as `{status}` says.")


def probe_disagrees(status: str, arm_accepted: bool) -> tuple[str, str]:
    """Return the observation of a login server that does not do what the status says, and the next step."""
    other = "disabled" if status == "enabled" else "enabled"
    return (
        f"{_both_tokens(arm_accepted)}, although its status is `{status}`.",
        "A change can take minutes to take effect everywhere. If it was made just now, repeat the check. If not, set "
        "it "
        f"again with `az acr scope enforce --status {other}` and then `--status {status}`, or open a support case "
        "with the correlation IDs.",
    )


def _both_tokens(arm_accepted: bool) -> str:
    if arm_accepted:
        return sentence("It accepts both an ACR-audience token and an ARM-audience token of the same identity")
    return sentence("It accepts an ACR-audience token and refuses an ARM-audience token of the same identity")


def probe_skipped() -> str:
    """Return the observation where no ARM-audience token was sent."""
    return sentence("It accepts an ACR-audience token. An ARM-audience token was not sent.")


def probe_refuses_acr(status: str) -> tuple[str, str]:
    """Return the observation of a login server that refuses the ACR audience only, and the next step."""
    return (
        "It refuses an ACR-audience token and accepts an ARM-audience token of the same identity. So the audience "
        f"is refused, which neither status explains (it is `{status}`).",
        "Do not enforce it: clients could not sign in at all. Repeat the check in a few minutes. If the result is the "
        "same, open a support case with the correlation IDs.",
    )


def probe_refuses_both(status: str, registry_id: str) -> tuple[str, str]:
    """Return the observation of a login server that refuses both audiences, and the next step."""
    sure = (
        "so the audience is not the reason" if status == "enabled" else "so the audience may or may not be the reason"
    )
    return (
        "It refuses both an ACR-audience token and an ARM-audience token of the same identity, "
        f"{sure}. Most likely the identity has no role on this registry, or belongs to another tenant.",
        _GIVE_ROLE.format(id=registry_id),
    )


def probe_refuses_without_control(registry_id: str) -> tuple[str, str]:
    """Return the observation of a refused ACR-audience token without the other answer, and the next step."""
    return (
        "It refuses an ACR-audience token. Without the answer to an ARM-audience token it is not known whether the "
        "identity has no role on this registry, or the audience is refused.",
        _GIVE_ROLE.format(id=registry_id),
    )


def probe_unanswered(audience: str, why: str) -> str:
    """Return the observation where a token got no usable answer.

    :param audience: with its article, such as an ACR-audience.
    """
    return sentence(f"What it does with {audience} token is not known: {why}")


def resolves_privately(login_server: str, addresses: list[str]) -> str:
    """Return the observation of a private address."""
    return sentence(f"{login_server} is reached at a private address ({', '.join(addresses)}): a private endpoint.")


def resolves_publicly(login_server: str, addresses: list[str]) -> str:
    """Return the observation of a public address."""
    return sentence(f"{login_server} is reached at a public address ({', '.join(addresses)}).")


def through_proxy(login_server: str) -> str:
    """Return the observation of a login server behind a proxy."""
    return sentence(f"{login_server} is reached through the proxy, so its address is not known here.")


def private_name_missing(count: int) -> str:
    """Return the step to take where a private endpoint's name leads to a public address."""
    return sentence(
        f"The registry has {counted(count, 'private endpoint', 'private endpoints')}, but its name resolves to a "
        "public "
        "address here. Link the private DNS zone privatelink.azurecr.io to this network."
    )


def unchecked(name: str, kind: str) -> AzCLIError:
    """Return the error for a check that failed in an unexpected way."""
    return cli_error(
        AzureInternalError,
        f"Checking {name} failed in an unexpected way ({kind}).",
        "Repeat the command with --debug, and report its output.",
    )


def check_failed(name: str) -> AzCLIError:
    """Return the error for one registry that did not pass the check."""
    return cli_error(
        ValidationError,
        f"'{name}' did not pass the check. `observations` gives the reason.",
        "`actions` lists what to do.",
    )


def checks_failed(failed: int, total: int, unread: int) -> AzCLIError:
    """Return the error for registries that did not pass the check."""
    parts = [f"{failed} of {registries(total)} did not pass"] if failed else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    return cli_error(
        ValidationError,
        f"{' and '.join(parts)}. The rows show what was observed.",
        "`actions` in each row lists what to do.",
    )
