"""Keep a fleet enforced with Azure Policy and its two built-in definitions for the property.

`definitions` knows the two, `scopes` where they can be assigned, `planning` and `assignments` assign them,
`effective_rules` finds which govern a registry, `compliance` reads what they see, and `remediation` lets the modifying
one change what was there before it.
"""
