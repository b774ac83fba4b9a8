"""The state of a fleet as one document, for the people who sign it off.

``gather`` reads everything once; ``content`` is what was read, and what it adds up to; ``evidence`` reads what earlier
checks have proven; ``document`` says it in headings, tables and bars, which ``html`` and ``markdown`` write; ``sheet``
(CSV) and ``sarif`` are for programs. Only ``gather`` makes requests.
"""

HTML, MARKDOWN, CSV, SARIF = FORMATS = ("html", "markdown", "csv", "sarif")
