"""Edits in tensors that stay on the networks' device: what a drag shows, from the pose to the finished picture.

The arrays of :mod:`pise_core.rendering` would cross to a graphics card and back three times for each picture. Here a
person's pixels, layers and code are taken there once; a pose is a few small matrices on its way there, and the picture
is all that comes back. It is the same pipeline, step by step and by the same names, and differs by what rounding
does; tests hold both against each other.
"""
