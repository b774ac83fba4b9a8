"""Find who uses a registry, and what happens to them once it refuses ARM-audience tokens.

``selection`` says whose consumers are meant; ``inventory`` asks Resource Graph with ``queries``; ``row_readers`` and
``site_readers`` read in each row which registries it names and how it signs in, as ``registry_uses``;
``role_assignments`` reads who may pull; ``knowledge`` (with ``knowledge.json``, the one place to correct) says what is
known, from where and since when, ``versions`` for which versions of a tool; ``checklist`` says what Resource Graph does
not show, and what else was searched for it; ``verdicts`` puts them together; ``search`` asks for registries of any
tenants; ``output`` makes the summary and the check of ``--fail-on``; ``login_events`` reads the log of sign-ins, and
``login_log`` puts it beside the consumers; ``service_connections`` reads rows of Azure DevOps, and ``azure_devops``
asks for them and judges them; the room ``code`` searches folders of code.
"""
