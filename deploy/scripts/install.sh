#!/bin/sh
# Set this checkout up on Debian 12 (or a relative of it): system packages, .venv, locked dependencies, the command.
# Run by `make install`, from any folder, as root, with sudo, or as a plain user if the system packages are there.
# Quiet and instant when nothing has changed since the last run.
#
#   PYTHON=…  the interpreter to use (3.11 to 3.13) instead of the first one that fits
set -eu
cd "$(dirname "$0")/../.."

stamp=.venv/.installed

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

choose_python() {
    for candidate in "${PYTHON:-}" python3 python3.11 python3.12 python3.13; do
        if [ -n "$candidate" ] && fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "install: needs Python 3.11, 3.12 or 3.13 as python3, or PYTHON=/path/to/one" >&2
    exit 1
}

# What .venv was filled from.
fingerprint() { cat requirements.lock pyproject.toml deploy/scripts/install.sh | sha256sum; }

# A venv that was moved is of no use: its commands name the folder it was made in.
usable() { [ "$(cat .venv/.made-in 2>/dev/null)" = "$PWD" ] && fits .venv/bin/python; }

missing_packages() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    command -v espeak-ng >/dev/null || echo espeak-ng
    command -v sipp >/dev/null || echo sip-tester
    command -v faketime >/dev/null || echo faketime
    [ -x /usr/sbin/kamailio ] || command -v kamailio >/dev/null || echo kamailio
}

# Answers 1 if the packages could not be had; the caller knows which of them it can do without.
install_packages() {
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
        as_root="sudo -n"
    fi
    command -v apt-get >/dev/null || return 1
    echo "install: apt-get install $*"
    $as_root apt-get update -qq || return 1
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

python=$(choose_python)
packages=$(missing_packages "$python" | xargs)
# shellcheck disable=SC2086  # one word a package
if [ -n "$packages" ] && ! install_packages $packages; then
    echo "install: could not install $packages; try: sudo apt-get install $packages" >&2
    case $packages in *python3-venv*) exit 1 ;; esac
fi

if [ -x .venv/bin/callplane ] && usable && [ "$(fingerprint)" = "$(cat "$stamp" 2>/dev/null)" ]; then
    exit 0
fi

if ! usable; then
    "$python" -m venv --clear .venv
    echo "$PWD" >.venv/.made-in
fi
echo "install: Python packages into .venv (a minute or two the first time)"
pip() { .venv/bin/python -m pip --disable-pip-version-check -qq "$@"; }
# --no-compile: most of what the tests' dependencies bring is never imported; Python compiles what is.
pip install --no-compile --prefer-binary --require-hashes -r requirements.lock
# The build back-end comes from the lock as well: nothing is fetched here.
pip install --no-deps --no-build-isolation --no-index --editable .

fingerprint >"$stamp"
echo "install: done, .venv/bin/callplane is there"
