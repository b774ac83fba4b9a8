"""What went wrong here, in words: the error, why, and the next command to type."""

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureInternalError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, counted, registries, sentence, subscriptions

_GIVE_ROLE = (
    "Run the check as an identity that may pull: `az role assignment create --role AcrPull --assignee IDENTITY --scope "
    "{id}`. A new role can take ten minutes to arrive."
)


def probe_agrees(status: str, arm_accepted: bool) -> str:
    return sentence(f"{_both_tokens(arm_accepted)}, as `{status}` says.")


def probe_disagrees(status: str, arm_accepted: bool) -> tuple[str, str]:
    """What was seen and what to do, as in the functions below."""
    other = "disabled" if status == "enabled" else "enabled"
    return (
        f"{_both_tokens(arm_accepted)}, although its status is `{status}`.",
        "A change can take minutes to take effect everywhere: if it was made just now, repeat the check. If not, write "
        f"it anew with `az acr scope enforce --status {other}` and then `--status {status}`, or open a support case "
        "with the correlation ids.",
    )


def _both_tokens(arm_accepted: bool) -> str:
    if arm_accepted:
        return sentence("It accepts an ACR-audience token, and an ARM-audience token of the same identity, too")
    return sentence("It accepts an ACR-audience token and refuses an ARM-audience token of the same identity")


def probe_skipped() -> str:
    return sentence("It accepts an ACR-audience token. What it does with an ARM-audience token was not tried.")


def probe_refuses_acr(status: str) -> tuple[str, str]:
    return (
        "It refuses an ACR-audience token and accepts an ARM-audience token of the same identity: so it is the "
        f"audience that is refused, which no status explains (it is `{status}`).",
        "Do not enforce it: clients could not sign in at all. Repeat the check in some minutes; if this stays, open a "
        "support case with the correlation ids.",
    )


def probe_refuses_both(status: str, registry_id: str) -> tuple[str, str]:
    sure = "so it is not the audience" if status == "enabled" else "so nothing is known of the audience"
    return (
        "It refuses an ACR-audience token and an ARM-audience token of the same identity alike, "
        f"{sure}: most likely the identity has no role on this registry, or is of another tenant.",
        _GIVE_ROLE.format(id=registry_id),
    )


def probe_refuses_without_control(registry_id: str) -> tuple[str, str]:
    return (
        "It refuses an ACR-audience token. Without the answer to an ARM-audience token it cannot be told whether the "
        "identity has no role on this registry, or its audience is refused.",
        _GIVE_ROLE.format(id=registry_id),
    )


def probe_unanswered(audience: str, why: str) -> str:
    return sentence(f"What it does with {audience} token is not known: {why}")


def resolves_privately(login_server: str, addresses: list[str]) -> str:
    return sentence(f"{login_server} is reached at a private address ({', '.join(addresses)}): a private endpoint.")


def resolves_publicly(login_server: str, addresses: list[str]) -> str:
    return sentence(f"{login_server} is reached at a public address ({', '.join(addresses)}).")


def through_proxy(login_server: str) -> str:
    return sentence(f"{login_server} is reached through the proxy, which alone knows its address.")


def private_name_missing(count: int) -> str:
    return sentence(
        f"The registry has {counted(count, 'private endpoint', 'private endpoints')}, but its name leads to a public "
        "address here: link the private DNS zone privatelink.azurecr.io to this network."
    )


def unchecked(name: str, kind: str) -> AzCLIError:
    return cli_error(
        AzureInternalError,
        f"Checking {name} failed in a way that was not foreseen ({kind}).",
        "Repeat the command with --debug, and report what it says.",
    )


def check_failed(name: str) -> AzCLIError:
    return cli_error(
        ValidationError, f"'{name}' did not pass the check; `observations` says why.", "`actions` says what helps."
    )


def checks_failed(failed: int, total: int, unread: int) -> AzCLIError:
    parts = [f"{failed} of {registries(total)} did not pass"] if failed else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    return cli_error(
        ValidationError, f"{' and '.join(parts)}; the rows say what was seen.", "Each row's `actions` says what helps."
    )
