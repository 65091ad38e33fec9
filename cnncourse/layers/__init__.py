"""Layers in NumPy. Images are (N, C, H, W); weights are (C_out, C_in, K_h, K_w)."""
