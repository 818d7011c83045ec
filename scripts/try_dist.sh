#!/bin/sh
# Installs the wheels of dist/ into an environment of their own and uses them: decode vectors, encode, decode, compare.
# First the core and the learned codecs, which are a decoder of at most 400 MB without torch; then codecs-classic and its libraries.
# usage: sh scripts/try_dist.sh PYTHON
set -eu

here=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$1" -m venv "$place/env"

install() {
	PIP_CONSTRAINT=constraints.txt "$place/env/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

at_most() { # MB
	size=$(du -sm "$place/env" | cut -f 1)
	echo "installed: $size MB"
	[ "$size" -le "$1" ] || { echo "the environment has $size MB, where $1 MB are allowed" >&2; exit 1; }
}

vectors() { # PLUGIN...
	(cd "$place" && env/bin/python "$here/scripts/decode_vectors.py" "$@")
}

install dist/codecs_core-*.whl dist/codecs_ar-*.whl dist/codecs_bbans-*.whl dist/codecs_idf-*.whl dist/codecs_inr-*.whl dist/codecs_lbb-*.whl dist/codecs_rec-*.whl
at_most 400
vectors ar bbans idf inr lbb rec
install dist/codecs_*.whl
at_most 550
vectors classic

cd "$place"
env/bin/codecs plugins --check
env/bin/codecs encode "$here/samples/mnist.idx.gz" digits.ccf --codec bbans.vae --model mnist
env/bin/codecs encode "$here/samples/photos/parrots.png" parrots.ccf --codec classic.lzma
env/bin/codecs verify --decode digits.ccf
env/bin/codecs decode parrots.ccf parrots.png
