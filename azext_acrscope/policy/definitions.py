"""The two built-in definitions: what Azure publishes, read on 2026-04-29 (version 1.0.0, unchanged since 2022).

Both count a registry as non-compliant if the property is `enabled` or missing.
"""

_DEFINITION_PREFIX = "/providers/Microsoft.Authorization/policyDefinitions/"
AUDIT_OR_DENY_ID = f"{_DEFINITION_PREFIX}42781ec6-6127-4c30-bdfa-fb423a0047d3"
MODIFY_ID = f"{_DEFINITION_PREFIX}785596ed-054f-41bc-aaec-7f3d0ba05725"

# What a user calls an effect: the definition that has it, and the value of its parameter `effect`.
EFFECTS = {"audit": (AUDIT_OR_DENY_ID, "Audit"), "deny": (AUDIT_OR_DENY_ID, "Deny"), "modify": (MODIFY_ID, "Modify")}
# What a user calls how far it goes, and Azure's word for it.
ENFORCEMENT_MODES = {"default": "Default", "do-not-enforce": "DoNotEnforce"}
# What `templates` can write.
TEMPLATE_LANGUAGES = BICEP, TERRAFORM = ["bicep", "terraform"]
# What each does where an assignment does not say.
DEFAULT_EFFECTS = {AUDIT_OR_DENY_ID.lower(): "Audit", MODIFY_ID.lower(): "Modify"}

# The role that the definition's `roleDefinitionIds` asks for, for the assignment's identity: Contributor.
CONTRIBUTOR_ROLE = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_OWNER_ROLE = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
WRITING_ROLES = (CONTRIBUTOR_ROLE, _OWNER_ROLE)  # the built-in ones with which an identity can change registries


def is_audience_definition(definition_id: object) -> bool:
    """Whether an ID is one of the two; Azure Policy answers with lower-cased IDs."""
    return str(definition_id).lower() in DEFAULT_EFFECTS
