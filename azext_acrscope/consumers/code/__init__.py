"""Who signs in to registries according to folders of code: pipelines, templates, manifests, scripts, packages.

At the top is the search: ``walk`` reads the files, ``piped`` what is piped in; ``prefilter`` leaves out what has none
of the words; ``called_files`` holds back what other files call; ``scan`` puts all together, ``doubles`` joins what two
files say, and ``output`` tells people. ``formats`` lists the readers.

Below it, each folder imports only from those behind it: ``readers`` has a module for each kind of file, which says only
lines and patterns (see ``place``); ``values`` knows which values a name may have; ``patterns`` what is known of what
may be found, with its JSON files; ``languages`` how YAML, JSON, scripts and others are read. All of them may use
``place``, ``limits``, ``file_names``, ``prefilter`` and ``errors`` with ``counts``.
"""
