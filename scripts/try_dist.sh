#!/bin/sh
# Installs the wheels of dist/ into an environment of their own and uses them: encode, decode, compare.
# usage: sh scripts/try_dist.sh PYTHON
set -eu

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$1" -m venv "$place/env"
PIP_CONSTRAINT=constraints.txt "$place/env/bin/python" -m pip install --quiet --disable-pip-version-check dist/*.whl

samples=$PWD/samples
cd "$place"
env/bin/codecs plugins --check
env/bin/codecs encode "$samples/mnist.idx.gz" digits.ccf --codec bbans.vae --model mnist
env/bin/codecs encode "$samples/photos/parrots.png" parrots.ccf --codec classic.lzma
env/bin/codecs verify --decode digits.ccf
env/bin/codecs decode parrots.ccf parrots.png
du -sm env | awk '{ print "installed: " $1 " MB" }'
