"""Surfaces that others build on, written down once: they stay as they are while the code is moved and renamed."""
