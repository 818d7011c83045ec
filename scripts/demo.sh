#!/bin/sh
# The whole job on the samples: encode with every codec that takes them, decode, compare, show what it comes to.
# Ends with a status other than 0 as soon as anything does not come back to the last bit.
set -eu
cd "$(dirname "$0")/.."
out=demo-output

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

rm -rf "$out"
mkdir -p "$out"

echo "1. Every codec on the samples: whole files, decoded again and compared. The files are kept."
run codecs bench samples/mnist.idx.gz --keep "$out/mnist"
run codecs bench samples/mnist-binary.npz --keep "$out/mnist-binary"
run codecs bench samples/photos --keep "$out/photos"

echo
echo "2. One array to a file and back; the same four commands work on yours."
run codecs encode samples/mnist.idx.gz "$out/mnist.ccf"
run codecs info "$out/mnist.ccf"
run codecs verify --decode "$out/mnist.ccf"
run codecs decode "$out/mnist.ccf" "$out/mnist.npy"
run python scripts/compare.py samples/mnist.idx.gz "$out/mnist.npy"

echo
echo "3. A folder of photographs to a file and back."
run codecs encode samples/photos "$out/photos.ccf"
run codecs decode "$out/photos.ccf" "$out/photos-decoded"
run python scripts/compare.py samples/photos "$out/photos-decoded"

printf '\nWritten to %s/:\n' "$out"
(cd "$out" && ls -d ./*.ccf ./*.npy ./*/ | sed "s|^\./|  $out/|")
