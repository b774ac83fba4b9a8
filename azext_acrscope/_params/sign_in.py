"""The arguments of the commands that sign in, or let clients sign in."""

from typing import Any

from azext_acrscope._params.shared import CollectValues, several_registries


def load(loader: Any) -> None:
    """Load the arguments of the commands that sign in."""
    _login_arguments(loader)
    _helper_arguments(loader)


def _login_arguments(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_acrscope._validators import (
        validate_identity,
        validate_login,
        validate_logout,
        validate_min_ttl,
        validate_repositories,
        validate_secret,
    )
    from azext_acrscope.credentials import clients
    from azext_acrscope.credentials.token_output import TOKEN_FORMATS
    from azext_acrscope.hops.principals import CREDENTIALS
    from azext_acrscope.hops.scoped_tokens import PERMISSIONS

    with loader.argument_context("acr scope login") as c:
        c.argument("registry_name", several_registries(), validator=validate_login)
        c.argument(
            "endpoint",
            options_list=["--endpoint"],
            nargs="+",
            action=CollectValues,
            help="Regions. Sign in to the regional login servers there instead of the global one. `all` means the "
            "global one and every regional one.",
        )
        c.argument(
            "min_ttl",
            options_list=["--min-ttl"],
            validator=validate_min_ttl,
            help="Do nothing for a registry whose stored credential, of any identity, opens just what this sign-in "
            "would open and lives at least that long, such as 45m or 1h30m.",
        )

    with loader.argument_context("acr scope logout") as c:
        c.argument("registry_name", several_registries(), validator=validate_logout)
        c.argument(
            "select_all",
            options_list=["--all"],
            action="store_true",
            help="Select all registries of the current cloud with a stored credential.",
        )

    for command in ("login", "logout"):
        with loader.argument_context(f"acr scope {command}", arg_group="Destination") as c:
            c.argument(
                "client_name",
                options_list=["--client"],
                arg_type=get_enum_type(list(clients.KNOWN_CLIENTS)),
                help=f"The container client whose own {command} to use. The default is the program that DOCKER_COMMAND "
                "names, else docker, else podman. Without any, docker's configuration is edited by docker's rules.",
            )
            c.argument(
                "auth_file",
                options_list=["--auth-file"],
                help="A credential file, in the form of docker's config.json and the containers' auth.json. It needs "
                "no client.",
            )

    with loader.argument_context("acr scope login", arg_group="Destination") as c:
        c.argument(
            "expose_token",
            options_list=["--expose-token"],
            action="store_true",
            help="Print the token instead of storing it.",
        )
        c.argument(
            "token_format",
            options_list=["--token-format"],
            arg_type=get_enum_type(TOKEN_FORMATS),
            help="How --expose-token prints it: an object, the content of a Kubernetes secret of that type, the whole "
            "secret, lines of NAME=value for the environment files of pipelines, or an object of texts for the data "
            "source `external` of Terraform.",
        )
        c.argument(
            "secret_name",
            options_list=["--secret-name"],
            help="The name of the secret that --token-format kubernetes prints. The default is acr-pull.",
            validator=validate_secret,
        )
        c.argument(
            "namespace",
            options_list=["--namespace"],
            help="The namespace of the secret that --token-format kubernetes prints. Without it the secret names none, "
            "and whoever applies it chooses.",
        )

    with loader.argument_context("acr scope login", arg_group="Least privilege") as c:
        c.argument(
            "repository",
            options_list=["--repository"],
            nargs="+",
            action=CollectValues,
            validator=validate_repositories,
            help="Use an access token (75 minutes) that opens these repositories and nothing else.",
        )
        c.argument(
            "permission",
            arg_type=get_enum_type(list(PERMISSIONS)),
            options_list=["--permission"],
            nargs="+",
            action=CollectValues,
            help="What the token may do in each --repository. The default is `pull`. `push` includes `pull`.",
        )

    for command in ("login", "configure-docker"):
        with loader.argument_context(f"acr scope {command}", arg_group="Identity") as c:
            c.argument(
                "credential",
                arg_type=get_enum_type(CREDENTIALS, default="cli"),
                help="Who signs in. `cli` is the account of `az login`. The others need no `az login` and send nothing "
                "to Azure Resource Manager; they read what they need from the environment.",
                validator=validate_identity,
            )
            c.argument(
                "client_id",
                options_list=["--client-id"],
                help="The client ID of the application, or of one of several managed identities. The default is in "
                "the environment (AZURE_CLIENT_ID, in Azure Pipelines AZURESUBSCRIPTION_CLIENT_ID) or, for "
                "`managed-identity`, the system-assigned identity.",
            )
            c.argument(
                "tenant",
                options_list=["--tenant"],
                help="The tenant to sign in to. The default is that of the subscription for `cli`, else that in the "
                "environment (AZURE_TENANT_ID, in Azure Pipelines AZURESUBSCRIPTION_TENANT_ID).",
            )


def _helper_arguments(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_acrscope._validators import validate_configure_docker, validate_typed_group
    from azext_acrscope.credentials import clients

    with loader.argument_context("acr scope configure-docker") as c:
        c.argument(
            "registry_name",
            several_registries("It does not count with --remove and --show."),
            validator=validate_configure_docker,
        )
        c.argument(
            "resource_group_name",
            options_list=["--resource-group", "-g"],
            help="The group in which to look up registries that are given by name, or with --all the group whose "
            "registries to select. A default group from the configuration does not count.",
            validator=validate_typed_group,
        )
        c.argument(
            "client_name",
            options_list=["--client"],
            arg_type=get_enum_type(list(clients.KNOWN_CLIENTS), default="docker"),
            help="The client whose file to edit, with --remove too. Most clients also read docker's. With --show: show "
            "only what this client asks for; there the default is all clients.",
        )
        c.argument(
            "bin_dir",
            options_list=["--bin-dir"],
            help="The directory for docker-credential-acrscope. The default is where it is already, else the first "
            "directory on PATH that is your own, such as ~/.local/bin.",
        )
        c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask before changing files.")
        c.argument(
            "remove",
            options_list=["--remove"],
            action="store_true",
            help="Undo it in the client's file, for the named registries or for all. Also deletes the cached "
            "credentials of those that no other file names.",
        )
        c.argument(
            "show",
            options_list=["--show"],
            action="store_true",
            help="Show what is configured, for the named registries or for all, and whether it works. Changes nothing, "
            "and sends nothing.",
        )
