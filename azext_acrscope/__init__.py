"""`az acr scope`. The package imports nothing by itself: docker's credential helper starts without the CLI."""


def __getattr__(name: str) -> object:
    """The loader, by the name under which the CLI asks an extension for it; only then is it imported."""
    if name == "COMMAND_LOADER_CLS":
        from azext_acrscope._loader import AcrScopeCommandsLoader

        return AcrScopeCommandsLoader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
