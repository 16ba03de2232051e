#!/bin/sh
# Make the environments of peers that cannot live beside our own libraries, for `make bench`. Without them their
# measurements are passed over, which is no failure: so a registry that cannot be reached is none either.
set -eu
cd "$(dirname "$0")/../.."

for name in genesis; do
    place=.venv/peers/$name
    wanted=bench/peers/$name.txt
    cmp -s "$wanted" "$place/installed.txt" && continue
    .venv/bin/python -m venv --clear "$place"
    if "$place/bin/python" -m pip --disable-pip-version-check -qq install -r "$wanted"; then
        cp "$wanted" "$place/installed.txt"
    else
        echo "bench: $name could not be installed; it is passed over" >&2
        rm -rf "$place"
    fi
done
