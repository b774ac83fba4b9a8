"""What `check` and `enforce --verify` find."""

from typing import Any

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureInternalError,
    ManualInterrupt,
    RequiredArgumentMissingError,
    ValidationError,
)

from azext_acrscope._errors.wording import counted, registries, subscriptions
from azext_acrscope.tokens import ACR_AUDIENCE

_GIVE_ROLE = (
    "Run the check as an identity that may pull: `az role assignment create --role AcrPull --assignee IDENTITY --scope "
    "{id}`. A new role can take ten minutes to arrive."
)


def probe_agrees(status: str, arm_accepted: bool) -> str:
    return f"{_both_tokens(arm_accepted)}, as `{status}` says."


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
        return "It accepts an ACR-audience token, and an ARM-audience token of the same identity, too"
    return "It accepts an ACR-audience token and refuses an ARM-audience token of the same identity"


def probe_skipped() -> str:
    return "It accepts an ACR-audience token. What it does with an ARM-audience token was not tried."


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
    return f"What it does with {audience} token is not known: {why}"


def resolves_privately(login_server: str, addresses: list[str]) -> str:
    return f"{login_server} is reached at a private address ({', '.join(addresses)}): a private endpoint."


def resolves_publicly(login_server: str, addresses: list[str]) -> str:
    return f"{login_server} is reached at a public address ({', '.join(addresses)})."


def through_proxy(login_server: str) -> str:
    return f"{login_server} is reached through the proxy, which alone knows its address."


def private_name_missing(count: int) -> str:
    return (
        f"The registry has {counted(count, 'private endpoint', 'private endpoints')}, but its name leads to a public "
        "address here: link the private DNS zone privatelink.azurecr.io to this network."
    )


def stored_until(client: str, store: str, until: str | None) -> str:
    return f"{client}: {store} holds a credential" + (f" until {until}." if until else " that does not say how long.")


def stored_expired(client: str, store: str, until: str | None, login_server: str) -> tuple[str, str]:
    return (
        f"{client}: the credential in {store} expired on {until}.",
        f"`az acr scope login --name {login_server}` stores a new one; `az acr scope logout` removes it.",
    )


def stored_by_helper(client: str, helper: str) -> str:
    return f"{client}: {helper} makes a credential whenever it is needed; it was not asked for one."


def stored_by_arm_helper(client: str, helper: str, login_server: str) -> tuple[str, str]:
    return (
        f"{client}: {helper} signs in with ARM-audience tokens, which stops working with the status `disabled`.",
        f"`az acr scope configure-docker --name {login_server}` replaces it with a helper for the ACR audience.",
    )


def nothing_to_check() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry was selected.",
        "Name some with --name, or select with --resource-group, --all, --all-subscriptions or --management-group.",
    )


def arm_audience_not_used(audience: str) -> str:
    """A warning, not an error."""
    return f"The setting acr.audience_resource names {audience}, which is ARM's: checking with {ACR_AUDIENCE} instead."


def unchecked(name: str, kind: str) -> AzCLIError:
    return AzureInternalError(
        f"Checking {name} failed in a way that was not foreseen ({kind}).",
        "Repeat the command with --debug, and report what it says.",
    )


def check_failed(name: str) -> AzCLIError:
    return ValidationError(f"'{name}' did not pass the check; `seen` says why.", "`toDo` says what helps.")


def checks_failed(failed: int, total: int, unread: int) -> AzCLIError:
    parts = [f"{failed} of {registries(total)} did not pass"] if failed else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    return ValidationError(f"{' and '.join(parts)}; the rows say what was seen.", "Each row's `toDo` says what helps.")


def verified(name: str, status: str, seconds: float) -> str:
    """A word to people, not an error."""
    return f"Verified: '{name}' does as `{status}` says, seen after {seconds:.1f} seconds."


def not_verified(result: dict[str, Any], seconds: float, why: str) -> AzCLIError:
    """:param result: of the enforcement: name, id, status, changed."""
    name, identifier, status = result["name"], result["id"], result["status"]
    other = "disabled" if status == "enabled" else "enabled"
    end = (
        "The change was not taken back." if result["changed"] else "It had that status before, and nothing was written."
    )
    return ValidationError(
        f"Registry '{name}' has the status `{status}`, and after {seconds:.0f} seconds that is not verified: {why} "
        f"{end}",
        [
            f"`az acr scope check --name {identifier}` looks again; `az config set acrscope.verify_timeout=SECONDS` "
            "lets --verify wait longer.",
            f"`az acr scope enforce --name {identifier} --status {other}` goes back.",
        ],
    )


def verification_interrupted(name: str, status: str, changed: bool) -> AzCLIError:
    written = "which was just set" if changed else "as before"
    return ManualInterrupt(
        f"Interrupted while verifying: registry '{name}' has the status `{status}`, {written}; whether that is "
        "in effect was not seen.",
        f"`az acr scope check --name {name}` looks again.",
    )


def not_verified_in_row(why: str, seconds: float) -> str:
    """A reason in a row, not an error, as are the next two."""
    return f"not verified after {seconds:.0f} seconds: {why}"


def restored(status: str) -> str:
    return f"It was restored to `{status}`."


def restored_with_its_wave(failed: int, status: str) -> str:
    return f"restored to `{status}`: {failed} of its wave could not be verified"


def not_restored(why: str) -> str:
    return f"Restoring it failed: {why}"
