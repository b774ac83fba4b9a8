"""Who signs in to registries according to folders of code: pipelines, templates, manifests, scripts, packages."""
