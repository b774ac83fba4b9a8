"""What is known of what may be found, in whichever kind of file.

The JSON files say what each pattern means, from where and since when: ``known_patterns`` checks and loads them.
``command_patterns`` judges commands, and ``azure_resources`` judges resources in templates. ``registry_words`` and
``registry_names`` find login servers, ``exchanges`` code that exchanges tokens by itself, ``pins`` a version of the
Azure CLI; ``stored_credentials`` tells whose credential a file holds.
"""
