"""Benchmarks: how long the product takes, measured."""
