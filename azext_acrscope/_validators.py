"""Argument validators: they turn what was typed into what the rooms take, or raise."""

import re
from typing import Any

from azext_acrscope import _errors
from azext_acrscope.arm.paths import check_arm_name
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base import hosts
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.base.tokens import is_valid_tenant
from azext_acrscope.hops import identity_errors

# Days of the log: a month is what tables keep by default, three what they keep without charge at most (with Microsoft
# Sentinel); and an enforcement is watched for days.
MAX_LOG_DAYS = 90
MAX_TTL_SECONDS = 3 * 60 * 60  # seconds; no token of a registry lives longer
# The distribution specification's names.
_REPOSITORY_PATTERN = re.compile(r"[a-z0-9]+((\.|_|__|-+|/)[a-z0-9]+)*", re.ASCII)


def is_configured_default(value: Any) -> bool:
    """Return whether a value comes from the CLI's configuration (`az config set defaults.…`) and was not typed."""
    return bool(getattr(value, "is_default", False))


def typed_value(value: str | None) -> str | None:
    """Return what was typed, None for a default of the CLI's configuration."""
    return None if is_configured_default(value) else value


def validate_resource_group(namespace: Any) -> None:
    """Refuse what cannot be the name of a resource group, an empty one included: it would mean the subscription.

    :raises InvalidArgumentValueError: if so.
    """
    if namespace.resource_group_name is not None:
        check_arm_name("group", namespace.resource_group_name)


def validate_typed_group(namespace: Any) -> None:
    """Check the name of a resource group where a default group of the CLI's configuration selects nothing.

    :raises InvalidArgumentValueError: as above.
    """
    validate_resource_group(namespace)
    _drop_default_group(namespace)


def validate_all_subscriptions(namespace: Any) -> None:
    """Drop a default group, which does not contradict a wider scope."""
    if namespace.all_subscriptions:
        _drop_default_group(namespace)


def _drop_default_group(namespace: Any) -> None:
    namespace.resource_group_name = typed_value(namespace.resource_group_name)


def validate_management_group(namespace: Any) -> None:
    """Refuse what cannot be the name of a management group, an empty one included; a default group is dropped.

    :raises InvalidArgumentValueError: if so.
    """
    if namespace.management_group is not None:
        check_arm_name("management_group", namespace.management_group)
        _drop_default_group(namespace)


def validate_assignment_name(namespace: Any) -> None:
    """Refuse what cannot be the name of a policy assignment, an empty one included.

    :raises InvalidArgumentValueError: if so.
    """
    if namespace.assignment_name is not None:
        check_arm_name("assignment", namespace.assignment_name)


def validate_registry(cmd: Any, namespace: Any) -> None:
    """Turn `registry_name` (a name, a login server or a resource ID) into a `hosts.RegistryRef`."""
    ref = hosts.parse_registry(namespace.registry_name, hosts.login_server_suffix(cmd.cli_ctx.cloud))
    (namespace.registry_name,) = _place_in_default_group([ref], namespace)


def validate_policy_registry(cmd: Any, namespace: Any) -> None:
    """Parse a registry that can be left out; a default one does not count beside a group that was typed."""
    wider = namespace.management_group or _is_group_typed(namespace)
    if typed_value(namespace.registry_name) is not None and namespace.management_group:
        raise base_errors.exclusive("--name", "--management-group")
    if namespace.registry_name is None or (wider and is_configured_default(namespace.registry_name)):
        namespace.registry_name = None
    else:
        validate_registry(cmd, namespace)


def validate_selection(cmd: Any, namespace: Any) -> None:
    """Turn `registry_name` into a list of `hosts.RegistryRef`, empty if none was named.

    A default registry of the CLI's configuration does not count beside an explicit selection, nor beside an option
    that is for several registries.

    :raises MutuallyExclusiveArgumentError: options contradict each other.
    """
    selecting = ("ids", "select_all", "all_subscriptions", "management_group", "tags", "undo")
    elsewhere = (*selecting, "exclude", "wave", "canary")
    chosen = _is_group_typed(namespace) or any(getattr(namespace, option, None) for option in elsewhere)
    _parse_registries(cmd, namespace, chosen)
    _refuse_contradictions(namespace)


def validate_login(cmd: Any, namespace: Any) -> None:
    """Turn `registry_name` into a list of `hosts.RegistryRef`, and refuse what cannot be meant together."""
    from azext_acrscope.credentials.token_output import ONE_SERVER_FORMATS

    typed = namespace.registry_name
    _parse_registries(cmd, namespace)
    _warn_of_capitals(typed)
    if not namespace.registry_name:
        raise _errors.no_registry()
    _refuse_two_destinations(namespace)
    stored = {"--client": namespace.client_name, "--auth-file": namespace.auth_file, "--min-ttl": namespace.min_ttl}
    for option, value in stored.items():
        if namespace.expose_token and value:
            raise base_errors.exclusive("--expose-token", f"{option}: it stores nothing")
    if namespace.token_format and not namespace.expose_token:
        raise base_errors.needs("--token-format", "--expose-token")
    if namespace.token_format in ONE_SERVER_FORMATS and _names_several_login_servers(namespace):
        raise base_errors.exclusive(f"--token-format {namespace.token_format}", "several login servers")
    for region in namespace.endpoint or []:
        hosts.check_region(region)
    if namespace.permission and not namespace.repository:
        raise base_errors.needs("--permission", "--repository")


def validate_secret(namespace: Any) -> None:
    """Turn `secret_name`, with `namespace`, into a `kubernetes_secret.SecretName`."""
    from azext_acrscope.credentials import token_output

    if namespace.token_format != token_output.KUBERNETES_FORMAT:
        for option, value in {"--secret-name": namespace.secret_name, "--namespace": namespace.namespace}.items():
            if value is not None:
                raise base_errors.needs(option, "--token-format kubernetes")
        return
    from azext_acrscope.credentials import kubernetes_secret

    namespace.secret_name = kubernetes_secret.check_secret_name(namespace.secret_name, namespace.namespace)


def validate_consumers(cmd: Any, namespace: Any) -> None:
    """Turn `registry_name` into a list of `hosts.RegistryRef`, empty if a scope or no registry is meant instead."""
    wider = namespace.all_subscriptions or namespace.management_group
    scoped = namespace.select_all or wider
    elsewhere = namespace.azure_devops or namespace.source  # where to search without any registry
    _parse_registries(cmd, namespace, bool(scoped or elsewhere or _is_group_typed(namespace)))
    if namespace.registry_name and scoped:
        raise base_errors.exclusive("--name", "--all, --all-subscriptions or --management-group")
    if namespace.select_all and (wider or _is_group_typed(namespace)):
        raise base_errors.exclusive("--all", "--resource-group, --all-subscriptions or --management-group")
    selected = namespace.registry_name or scoped or _is_group_typed(namespace)
    if not selected and (namespace.workspace or not elsewhere):
        raise _errors.no_registry_for_consumers()
    if namespace.days and not namespace.workspace:
        raise base_errors.needs("--days", "--workspace")


def validate_azure_devops(namespace: Any) -> None:
    """Turn `azure_devops`, names or addresses of organizations, into names."""
    if namespace.azure_devops:
        from azext_acrscope.arm.azure_devops import parse_organization

        namespace.azure_devops = [parse_organization(text) for text in namespace.azure_devops]


def validate_source(namespace: Any) -> None:
    """Check that folders and files of code are there, before anything is requested.

    :raises InvalidArgumentValueError: a name is empty.
    :raises FileOperationError: there is no such folder or file.
    """
    if namespace.source:
        from azext_acrscope.consumers.code import walk

        if not all(each.strip() for each in namespace.source):
            raise _errors.empty_option("--source")
        walk.find_roots(namespace.source)


def validate_preflight_source(namespace: Any) -> None:
    """Check folders of code as above, and that consumers are searched at all where options say how."""
    validate_source(namespace)
    for option in ("source", "knowledge"):
        if namespace.skip_consumers and getattr(namespace, option):
            raise base_errors.exclusive("--skip-consumers", f"--{option}")


def validate_workspace(namespace: Any) -> None:
    """Turn `workspace`, a GUID or a resource ID, into a `log_analytics.WorkspaceRef`."""
    if namespace.workspace is not None:
        from azext_acrscope.arm.log_analytics import parse_workspace

        namespace.workspace = parse_workspace(namespace.workspace)


def validate_days(namespace: Any) -> None:
    """Turn `days` into a number."""
    text = namespace.days
    if text is None:
        return
    if not (re.fullmatch(r"\d{1,3}", text, re.ASCII) and 1 <= int(text) <= MAX_LOG_DAYS):
        raise _errors.bad_days(text, MAX_LOG_DAYS)
    namespace.days = int(text)


def validate_report(namespace: Any) -> None:
    """Refuse what cannot be meant together."""
    if namespace.file is not None and not namespace.file.strip():
        raise _errors.empty_option("--file")
    if namespace.run_check and namespace.evidence:
        raise base_errors.exclusive("--check", "--evidence")
    if namespace.skip_consumers and namespace.knowledge:
        raise base_errors.exclusive("--skip-consumers", "--knowledge")


def validate_logout(cmd: Any, namespace: Any) -> None:
    """Turn `registry_name` into a list of `hosts.RegistryRef`; a default one does not count beside --all."""
    _parse_registries(cmd, namespace, bool(namespace.select_all))
    if namespace.registry_name and namespace.select_all:
        raise base_errors.exclusive("--name", "--all")
    if not (namespace.registry_name or namespace.select_all):
        raise _errors.nothing_to_log_out_of()
    _refuse_two_destinations(namespace)


def validate_check(cmd: Any, namespace: Any) -> None:
    """Turn `registry_name` into a list of `hosts.RegistryRef`; a default one does not count beside a selection."""
    scoped = namespace.select_all or namespace.all_subscriptions or namespace.management_group
    _parse_registries(cmd, namespace, scoped or _is_group_typed(namespace))
    if scoped and (namespace.registry_name or _is_group_typed(namespace)):
        raise base_errors.exclusive("--all, --all-subscriptions or --management-group", "--name or --resource-group")
    if not (namespace.registry_name or scoped or _is_group_typed(namespace)):
        raise _errors.nothing_to_check()


def validate_configure_docker(cmd: Any, namespace: Any) -> None:
    """Turn `registry_name` into a list of `hosts.RegistryRef`, empty if none was named.

    A default registry of the CLI's configuration neither contradicts --all nor says what to take out.
    """
    _drop_default_group(namespace)
    typed, looks = namespace.registry_name, namespace.remove or namespace.show
    _parse_registries(cmd, namespace, namespace.select_all or looks)
    if namespace.registry_name and namespace.select_all:
        raise base_errors.exclusive("--name", "--all")
    if namespace.show and (namespace.remove or namespace.select_all):
        raise base_errors.exclusive("--show", "--remove or --all")
    if looks:
        _refuse_options_of_a_setup(namespace)
    else:
        _warn_of_capitals(typed)


def _refuse_options_of_a_setup(namespace: Any) -> None:
    """Refuse what would be left out silently: it looks as if fewer registries were meant, and all would be."""
    mode, more = ("--show", ["bin_dir"]) if namespace.show else ("--remove", [])
    for option in ("resource_group_name", "credential", "client_id", "tenant", *more):
        if typed_value(getattr(namespace, option)):
            raise base_errors.exclusive(mode, "--" + option.removesuffix("_name").replace("_", "-"))


def _parse_registries(cmd: Any, namespace: Any, default_is_beside_the_point: bool = False) -> None:
    named = namespace.registry_name
    if isinstance(named, str):  # the default of the CLI's configuration
        named = [] if default_is_beside_the_point else [named]
    suffix = hosts.login_server_suffix(cmd.cli_ctx.cloud)
    refs = [hosts.parse_registry(text, suffix) for text in named or []]
    namespace.registry_name = _place_in_default_group(refs, namespace)


def _warn_of_capitals(named: Any) -> None:
    """Say how a login server must be written in images: clients compare hosts letter by letter (Azure/acr#168)."""
    from azext_acrscope.base import console

    texts = [named] if isinstance(named, str) else named or []
    servers = [text.strip() for text in texts if "." in text and "/" not in text and text != text.lower()]
    console.warn([_errors.stored_in_lower_case(text) for text in servers])


def _place_in_default_group(refs: list[RegistryRef], namespace: Any) -> list[RegistryRef]:
    """Return registries with the default group as theirs where they name none; the namespace has it no longer.

    So a default group says where a name is looked for, contradicts no ID, and selects nothing by itself.
    """
    group = getattr(namespace, "resource_group_name", None)
    if not is_configured_default(group):
        return refs
    namespace.resource_group_name = None
    return [each if each.resource_group else each._replace(resource_group=str(group)) for each in refs]


def _names_several_login_servers(namespace: Any) -> bool:
    endpoints = [each.lower() for each in namespace.endpoint or []]
    return len(set(namespace.registry_name)) > 1 or len(endpoints) > 1 or "all" in endpoints


def _refuse_two_destinations(namespace: Any) -> None:
    if namespace.auth_file is not None and not namespace.auth_file.strip():
        raise _errors.empty_option("--auth-file")
    if namespace.client_name and namespace.auth_file:
        raise base_errors.exclusive("--client", "--auth-file")


def validate_min_ttl(namespace: Any) -> None:
    """Turn `min_ttl`, a time such as 45m or 1h30m, into seconds."""
    text = namespace.min_ttl
    if text is None:
        return
    match = re.fullmatch(r"(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?", text, re.ASCII)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    namespace.min_ttl = hours * 3600 + minutes * 60 + seconds
    if not 0 < namespace.min_ttl <= MAX_TTL_SECONDS:
        raise _errors.bad_min_ttl(text)


def validate_repositories(namespace: Any) -> None:
    """Refuse what is no name of a repository: it would change the scope that is asked for."""
    for name in namespace.repository or []:
        if not (_REPOSITORY_PATTERN.fullmatch(name) and len(name) <= 255):
            raise _errors.bad_repository(name)


def _refuse_contradictions(namespace: Any) -> None:
    """Refuse what contradicts itself, before anything is requested."""
    named = namespace.registry_name or namespace.ids
    scoped = any(
        getattr(namespace, option) for option in ("select_all", "all_subscriptions", "management_group", "tags")
    )
    if namespace.undo and (named or scoped or namespace.status or _is_group_typed(namespace)):
        raise base_errors.exclusive(
            "--undo", "--status or a selection: the record says which registries and what to set"
        )
    if named and scoped:
        raise base_errors.exclusive("--name or --ids", "--all, --all-subscriptions, --management-group or --tag")
    if namespace.verify and namespace.dry_run:
        raise base_errors.exclusive("--verify", "--dry-run: it writes nothing")
    if namespace.canary and namespace.wave:
        raise base_errors.exclusive("--canary", "--wave")


def _is_group_typed(namespace: Any) -> bool:
    return bool(typed_value(namespace.resource_group_name))


def validate_identity(namespace: Any) -> None:
    """Refuse what means nothing with the `credential` named: nobody else's options are silently left out."""
    if namespace.credential == "cli":
        meaningless = {"--client-id": namespace.client_id}
    else:
        meaningless = {"--subscription": getattr(namespace, "_subscription", None)}
    if namespace.credential == "managed-identity":
        meaningless["--tenant"] = namespace.tenant
    if namespace.tenant is not None and not is_valid_tenant(namespace.tenant):
        raise identity_errors.bad_tenant(namespace.tenant)
    if namespace.client_id is not None and not re.fullmatch(r"[\w-]{1,64}", namespace.client_id, re.ASCII):
        raise _errors.bad_client_id(namespace.client_id)
    for option, value in meaningless.items():
        if value:
            raise _errors.identity_option(option, namespace.credential)
    if namespace.tenant and getattr(namespace, "_subscription", None):
        raise base_errors.exclusive("--tenant", "--subscription")


def validate_ids(cmd: Any, namespace: Any) -> None:
    """Turn `ids` into a list of `hosts.RegistryRef`; nothing but IDs is accepted."""
    for text in namespace.ids or []:
        if not text.startswith("/"):
            raise base_errors.bad_registry_id(text)
    suffix = hosts.login_server_suffix(cmd.cli_ctx.cloud)
    namespace.ids = [hosts.parse_registry(text, suffix) for text in namespace.ids or []]


def validate_tags(namespace: Any) -> None:
    """Turn `tags`, a list of KEY=VALUE, into a dictionary."""
    pairs = [text.partition("=") for text in namespace.tags or []]
    for key, equals, value in pairs:
        if not (key and equals):
            raise _errors.bad_tag(key + equals + value)
    namespace.tags = {key: value for key, _, value in pairs}
    if len(namespace.tags) < len(pairs):
        raise _errors.tag_twice()


def validate_wave(namespace: Any) -> None:
    """Turn `wave`, a percentage such as 10%, into a share from 0 to 1."""
    text = namespace.wave
    if text is None:
        return
    number = str(text).removesuffix("%")
    if not (re.fullmatch(r"\d{1,2}", number, re.ASCII) and 0 < int(number) < 100):
        raise _errors.bad_wave(text)
    namespace.wave = int(number) / 100
