"""The codec ``rec.weights``: the weights of a network as samples, in blocks that an index each is sent for (MIRACLE)."""
