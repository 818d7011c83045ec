"""The codec ``ar.array``: numerical arrays of any type and any number of dimensions."""
