"""Who uses a registry, and what happens to them once it refuses ARM-audience tokens.

``selection`` says whose consumers are meant; ``inventory`` asks Resource Graph, in the words of ``queries``, and gives
rows; ``uses`` reads in each row which registries it names and how it signs in; ``rights`` reads role assignments;
``knowledge`` (with ``knowledge.json``, the one place to correct) says what is known, from where and since when;
``verdicts`` puts the two together; ``result`` makes what the command prints, the summary and the gate; ``logins`` reads
the log of sign-ins, and ``watch`` puts it beside the consumers; ``estate`` asks for registries of any tenants, and
``guard`` before an enforcement.
"""
