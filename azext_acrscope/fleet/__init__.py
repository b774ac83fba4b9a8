"""Many registries: which are meant, reading them by Resource Graph or live, the summary."""
