"""Azure's refusals around policy assignments, as errors that name the role to ask for."""

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import ArmError
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.fleet import errors as fleet_errors
from azext_acrscope.fleet.scope import is_unknown_group
from azext_acrscope.policy import errors
from azext_acrscope.policy.scopes import PolicyScope

# Who may do what; each is the narrowest built-in role for it.
READER_ROLE = "Reader"
ASSIGNER_ROLE = "Resource Policy Contributor"
GRANTER_ROLE = "Role Based Access Control Administrator"
IDENTITY_USER_ROLE = "Managed Identity Operator"


def refusal_error(error: ArmError, scope: PolicyScope, doing: str, role: str) -> AzCLIError:
    """Return the error for a request at a scope that ARM refused.

    :param doing: what the request was to do, such as "read policy assignments".
    :param role: the role to ask for if that was not allowed.
    """
    told = {"code": error.code, "message": error.message, "correlation": error.correlation}
    if error.code == "LinkedAuthorizationFailed":  # it may not hand the identity to somebody
        return errors.identity_right_missing(IDENTITY_USER_ROLE, **told)
    if error.status == 403 and error.code != "RequestDisallowedByPolicy":
        missing = errors.right_missing(doing, scope.text, scope.path, role, **told)
        # Azure says the same of a management group that does not exist.
        return base_errors.with_advice(missing, base_errors.CHECK_GROUP) if scope.management_group else missing
    if error.code == "ResourceGroupNotFound":
        return fleet_errors.group_not_found(str(scope.resource_group), parse_resource_id(scope.path).subscription)
    if scope.management_group and is_unknown_group(error) and not error.code.startswith("Policy"):
        return base_errors.management_group_not_found(scope.management_group)
    return error.as_cli_error(scope.text, f"what the role {role} may do")
