"""The codec ``rec.vae``, lossy: a linear encoder, classes of images, and a decoder that refines the linear one."""
