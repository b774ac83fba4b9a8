"""Who uses a registry, and what happens to them once it refuses ARM-audience tokens.

``selection`` says whose consumers are meant; ``inventory`` asks Resource Graph and gives rows; ``uses`` reads in each
row which registries it names and how it signs in; ``rights`` reads role assignments; ``knowledge`` (with
``knowledge.json``, the one place to correct) says what is known, from where and since when; ``verdicts`` puts the two
together; ``report`` makes the result, the summary and the gate; ``estate`` asks for registries of any tenants, and
``guard`` before an enforcement.
"""
