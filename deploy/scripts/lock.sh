#!/bin/sh
# Write requirements.lock anew from pyproject.toml: every platform and Python version we support, with hashes.
# `make lock` keeps what is pinned where it still fits; `make lock UPGRADE=1` takes the newest of everything.
set -eu
cd "$(dirname "$0")/../.."

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    [ -x .venv/bin/uv ] || .venv/bin/python -m pip --disable-pip-version-check --quiet install uv
    uv=.venv/bin/uv
fi

"$uv" pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
    --generate-hashes ${UPGRADE:+--upgrade} --extra embedded --extra dev pyproject.toml -o requirements.lock

# Where the packages came from is the business of whoever installs them.
if grep -nE '://|^-' requirements.lock; then
    echo "lock: requirements.lock names a place to download from (above); it must not" >&2
    exit 1
fi
