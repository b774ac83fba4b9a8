"""Which values a name may have, in its own file or by the files that use it.

``declared_values`` fills in what YAML declares, with ``conditional_values`` (`${{ if … }}`) and ``matrices``;
``gitlab_jobs`` does it for jobs that share a script. ``local_calls`` finds who calls a file with which values, and
``callers`` keeps these while the file is read. ``terraform_dynamic`` repeats `dynamic` blocks, and ``module_aliases``
knows what bicepconfig.json calls a registry.
"""
