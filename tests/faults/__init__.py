"""Every request of every command, answered wrongly in every way: what a command may not do about it.

`stage` is a small Azure and the commands on it, `answers` the wrong answers, `cases` puts them together and judges.
`tests/e2e/test_faults.py` runs a part of the cases, `make faults` all of them.
"""
