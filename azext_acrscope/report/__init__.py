"""The state of a fleet as one document, for the people who sign it off.

``gather`` reads everything once; ``model`` is what was read, and what it adds up to; ``evidence`` reads what earlier
checks have shown; ``document`` says it in headings, tables and bars, which ``html`` and ``markdown`` write;
``csv_table`` and ``sarif`` are for programs. Only ``gather`` makes requests.
"""

HTML, MARKDOWN, CSV, SARIF = FORMATS = ("html", "markdown", "csv", "sarif")
