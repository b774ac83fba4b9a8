"""Second hop: the login server turns an Entra token into an ACR refresh token.

Wire format, as recorded: ``GET /v2/`` answers 401 with ``WWW-Authenticate: Bearer realm="https://HOST/oauth2/token",
service="HOST"``; ``POST /oauth2/exchange`` with the form ``grant_type=access_token&service=…&tenant=…&access_token=…``
answers ``{"refresh_token": "…"}``.

The token goes to `https://HOST/oauth2/exchange` of a host that passed `hosts.check_login_server`, and nowhere else, and
only if the challenge names that very host.
"""

import re
from urllib.request import parse_http_list, parse_keqv_list

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.base import hosts
from azext_acrscope.base.tokens import EntraToken, RefreshToken, parse_json_object, read_claims, read_expiry, safe_word
from azext_acrscope.hops import login_server_errors
from azext_acrscope.hops.token_endpoints import (
    LoginServer,
    LoginServerAnswer,
    is_expired,
    read_correlation_id,
    read_error_envelope,
)


class Exchange:
    """The second hop with one login server, in two requests.

    The first, for the challenge, carries no token: it is sent at once, in the background, while the first hop is made.
    """

    def __init__(self, login_server: str, suffix: str, purpose: str = "") -> None:
        """Begin.

        :param login_server: a host that `hosts.check_login_server` returned.
        :param suffix: the cloud's login server suffix.
        :param purpose: see `LoginServer`.
        """
        self.server = LoginServer(login_server, suffix, purpose)
        self._challenge = self.server.begin(lambda: self.server.get("/v2/"))

    def service(self) -> str:
        """Return the service that the challenge names. Errors as for `finish`."""
        return read_challenge(self.server.result(self._challenge), self.server.host, self.server.suffix)

    def finish(self, token: EntraToken) -> RefreshToken:
        """Exchange an Entra token for a refresh token.

        :raises AzureConnectionError: no connection, or an untrusted certificate.
        :raises ForbiddenError: the registry refuses this machine's network.
        :raises UnauthorizedError: the registry refuses this token.
        :raises AzureResponseError, AzureInternalError: any other answer, 429 and 5xx after bounded retries.
        """
        return read_refresh_token(self.ask(token), self.server.host, self.server.suffix, token)

    def ask(self, token: EntraToken) -> LoginServerAnswer:
        """Return the answer to the exchange of an Entra token, whatever it is; for `read_refresh_token`.

        :raises AzureConnectionError, ForbiddenError, AzureResponseError, AzureInternalError: no answer, or no
            challenge that may be trusted; then the token was not sent.
        """
        form: dict[str, str | list[str]] = {
            "grant_type": "access_token",
            "service": self.service(),
            "tenant": token.tenant,
            "access_token": token.value,
        }
        return self.server.post("/oauth2/exchange", form)


def read_challenge(answer: LoginServerAnswer, login_server: str, suffix: str) -> str:
    """Return the service to name in the exchange, from the registry's answer to a request without a credential.

    A container client will follow the realm named here with its credential, so a realm elsewhere ends the sign-in.
    """
    if answer.status == 403:
        raise login_server_errors.network_refused(login_server, *read_error_envelope(answer))
    if answer.status == 429 or answer.status >= 500:
        raise _exchange_error(answer, login_server)
    realm, service = parse_challenge(answer.headers.get("WWW-Authenticate", ""))
    if answer.status != 401 or not realm:
        raise login_server_errors.no_challenge(login_server, answer.status, "it sent no Bearer challenge")
    if not hosts.is_own_realm(realm, login_server):
        raise login_server_errors.foreign_realm(login_server, realm)
    if not hosts.is_own_service(service, login_server, suffix):
        raise login_server_errors.no_challenge(
            login_server, answer.status, f"its challenge names the service '{safe_word(service)}'"
        )
    return service


def parse_challenge(header: str) -> tuple[str, str]:
    """Return the realm and the service of a WWW-Authenticate header of the scheme Bearer; empty where it names none."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "bearer":
        return "", ""
    items = [item for item in parse_http_list(rest) if re.match(r"[a-z_]+=.", item)]
    parameters = parse_keqv_list(items)
    return parameters.get("realm") or "", parameters.get("service") or ""


def read_refresh_token(answer: LoginServerAnswer, login_server: str, suffix: str, token: EntraToken) -> RefreshToken:
    """Return the refresh token of a registry's answer to the exchange."""
    if answer.status == 403:
        raise login_server_errors.network_refused(login_server, *read_error_envelope(answer))
    if answer.status != 200:
        raise _exchange_error(answer, login_server, token)
    correlation = read_correlation_id(answer)
    value = parse_json_object(answer.body).get("refresh_token")
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise login_server_errors.bad_exchange_answer(login_server, "no refresh token", correlation)
    token_claims = read_claims(value)
    if token_claims.get("grant_type") != "refresh_token":
        raise login_server_errors.bad_exchange_answer(
            login_server, "something that is not a refresh token", correlation
        )
    meant_for = token_claims.get("aud", login_server)
    if not hosts.is_own_service(meant_for, login_server, suffix):
        raise login_server_errors.bad_exchange_answer(
            login_server, f"a refresh token for '{safe_word(meant_for)}'", correlation
        )
    if is_expired(answer, token_claims):
        raise login_server_errors.bad_exchange_answer(
            login_server, "a refresh token that has expired already", correlation
        )
    return RefreshToken(value, login_server, read_expiry(token_claims))


def _exchange_error(answer: LoginServerAnswer, login_server: str, token: EntraToken | None = None) -> AzCLIError:
    code, _, correlation = read_error_envelope(answer)
    retry_after = answer.headers.get("Retry-After", "")
    return login_server_errors.exchange_refused(
        login_server,
        answer.status,
        code=code,
        correlation=correlation,
        retry_after=retry_after if retry_after.isdigit() else "",
        tenant=token.tenant if token else "unknown",
        audience=token.audience if token else "unknown",
    )
