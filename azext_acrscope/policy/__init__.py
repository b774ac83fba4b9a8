"""Azure Policy: estates kept enforced by Azure itself, with the two built-in definitions for the property.

`definitions` knows the two, `scopes` where they can be assigned, `planning` and `assignments` assign them, `compliance`
tells what they see, `remediation` lets the modifying one mend what was there before it.
"""
