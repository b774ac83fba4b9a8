"""The command table: one line a command. Imported by every `az acr` command, so keep it light."""

from typing import Any

from azext_acrscope._format import (
    check_table,
    configure_docker_table,
    consumers_table,
    enforce_table,
    list_table,
    login_table,
    logout_table,
    policy_assign_table,
    policy_show_table,
    policy_unassign_table,
    printable_result,
    remediate_table,
    report_table,
    show_table,
)


def load_command_table(loader: Any, _args: list[str]) -> None:
    """Load the commands of `az acr scope`."""
    every: dict[str, Any] = {"transform": printable_result}
    with loader.command_group("acr scope", **every) as g:
        g.custom_show_command("show", "show", table_transformer=show_table)
        g.custom_command("list", "list_", table_transformer=list_table)
        g.custom_command("enforce", "enforce", table_transformer=enforce_table)
        g.custom_command("check", "check", table_transformer=check_table)
        g.custom_command("consumers", "consumers", table_transformer=consumers_table)
        g.custom_command("report", "report", table_transformer=report_table)
    with loader.command_group("acr scope", operations_tmpl="azext_acrscope.custom_sign_in#{}", **every) as g:
        g.command("login", "login", table_transformer=login_table)
        g.command("logout", "logout", table_transformer=logout_table)
        g.command("configure-docker", "configure_docker", table_transformer=configure_docker_table)
    with loader.command_group("acr scope policy", operations_tmpl="azext_acrscope.custom_policy#{}", **every) as g:
        g.command("assign", "assign", table_transformer=policy_assign_table)
        g.command("unassign", "unassign", table_transformer=policy_unassign_table)
        g.show_command("show", "show", table_transformer=policy_show_table)
        g.command("remediate", "remediate", table_transformer=remediate_table)
