"""BB-ANS: lossless compression of images with variational autoencoders."""
