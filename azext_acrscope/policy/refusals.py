"""Azure's refusals around policy assignments, as errors that name the role to ask for."""

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors
from azext_acrscope.arm import ArmError
from azext_acrscope.policy.scopes import PolicyScope

# Who may do what; each is the narrowest built-in role for it.
TO_READ = "Reader"
TO_ASSIGN = "Resource Policy Contributor"
TO_GRANT = "Role Based Access Control Administrator"
TO_USE_IDENTITY = "Managed Identity Operator"


def refused(error: ArmError, scope: PolicyScope, doing: str, role: str) -> AzCLIError:
    """The error for a request at a scope that ARM refused.

    :param doing: what the request was to do, such as "read policy assignments".
    :param role: the role to ask for if that was not allowed.
    """
    told = (error.code, error.message, error.correlation)
    if error.code == "LinkedAuthorizationFailed":  # it may not hand the identity to somebody
        return _errors.identity_right_missing(TO_USE_IDENTITY, *told)
    if error.status == 403 and error.code != "RequestDisallowedByPolicy":
        missing = _errors.right_missing(doing, scope.text, scope.path, role, *told)
        # Azure says the same of a management group that does not exist.
        return _errors.with_advice(missing, _errors.CHECK_GROUP) if scope.management_group else missing
    if error.code == "ResourceGroupNotFound":
        return _errors.group_not_found(str(scope.resource_group), scope.path.split("/")[2])
    if error.status == 404 and scope.management_group and not error.code.startswith("Policy"):
        return _errors.management_group_not_found(scope.management_group)
    return error.as_cli_error(scope.text, f"what the role {role} may do")
