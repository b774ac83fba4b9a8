"""The stage for end-to-end tests: a local Azure, the installed extension, and an `az` that is signed in."""

from tests.az import Az
from tests.localcloud import ServicePrincipal


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
