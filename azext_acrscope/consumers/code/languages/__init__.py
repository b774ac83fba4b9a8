"""How a language is read, whatever a file in it is about.

``yaml_documents`` reads YAML into nodes with lines, which serve for all languages; ``expressions`` has the nodes for
what is put together when it runs, and asks all of them. ``tokens`` and ``brackets`` read Bicep, HCL, JSON with comments
and programs; ``json_documents`` and ``terraform_json`` read JSON. ``shell`` cuts scripts into words; ``scripts`` finds
the commands that run, and ``strings`` those in strings of programs; ``ending_lines`` ends texts such as `<<EOF`.
"""
