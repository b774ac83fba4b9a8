"""Accounts that `az` is signed in as: by `az login`, or by the files that it left for another account."""

import json
import shutil
from pathlib import Path
from typing import Any

from tests.az import Az
from tests.localcloud import ARM_AUDIENCES, ServicePrincipal, World


def sign_in(az: Az, principal: ServicePrincipal) -> None:
    az.ok(
        "login",
        "--service-principal",
        "--username",
        principal.app_id,
        "--password",
        principal.secret or "",
        "--tenant",
        principal.tenant_id,
        "--allow-no-subscriptions",
    )


def sign_in_like(az: Az, principal: ServicePrincipal, world: World, signed_in: Path) -> None:
    """Leave what `sign_in` would, without running `az` where that can be: many tests begin with it.

    :param signed_in: the home of an `az` that `sign_in` has signed in as another service principal with a secret.
    """
    seen = world.subscriptions_seen(principal, principal.tenant_id)
    if az.config.exists() or not (principal.secret and seen and all(each.state == "Enabled" for each in seen)):
        sign_in(az, principal)
        return
    shutil.copytree(signed_in / ".azure", az.config, symlinks=True)
    [entry] = _read(az.config / "service_principal_entries.json")
    tenant, app_id = entry["tenant"], entry["client_id"]
    entry |= {"tenant": principal.tenant_id, "client_id": principal.app_id, "client_secret": principal.secret}
    _write(az.config / "service_principal_entries.json", [entry])
    profile = _read(az.config / "azureProfile.json")
    first = profile["subscriptions"][0]
    first |= {"tenantId": principal.tenant_id, "homeTenantId": principal.tenant_id}
    first["user"]["name"] = principal.app_id
    profile["subscriptions"] = [
        {**first, "id": each.id, "name": each.name, "isDefault": each is seen[0]} for each in seen
    ]
    _write(az.config / "azureProfile.json", profile)
    tokens = (az.config / "msal_token_cache.json").read_text()
    cache = json.loads(tokens.replace(tenant, principal.tenant_id).replace(app_id, principal.app_id))
    for each in cache["AccessToken"].values():
        each["secret"] = world.mint(principal, ARM_AUDIENCES[0])
    _write(az.config / "msal_token_cache.json", cache)


def use_subscription(az: Az, subscription_id: str) -> None:
    """Do what `az account set --subscription` does."""
    profile = _read(az.config / "azureProfile.json")
    assert any(each["id"] == subscription_id for each in profile["subscriptions"]), profile
    for each in profile["subscriptions"]:
        each["isDefault"] = each["id"] == subscription_id
    _write(az.config / "azureProfile.json", profile)


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8-sig"))


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content))  # the mode stays what it is
