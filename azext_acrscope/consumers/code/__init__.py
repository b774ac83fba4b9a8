"""Who signs in to registries according to folders of code: pipelines, templates, manifests, scripts, packages.

``walk`` reads the files, ``piped`` what is piped in; ``prefilter`` leaves out what has none of the words; each module
of ``readers`` (listed in ``formats``) reads one kind of file and says only lines and ``patterns`` (see ``place``);
``known_patterns`` has what is known of these, and ``scan`` puts all together; ``output`` tells people. Languages are
read by ``yaml_documents``, ``shell`` with ``scripts`` and ``strings`` (commands), and ``tokens`` with ``brackets`` and
``expressions`` (Bicep, HCL, JSON and programs).
"""
