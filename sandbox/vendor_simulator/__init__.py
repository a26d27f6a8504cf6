"""A simulator of the vendor's API for subscriptions and support, with its traps, and with faults on request.

It answers the shape of a cloud vendor's partner API (Microsoft Partner Center's public documentation):
full-resource PATCH, ETags, request ids, and the renewal settings that a suspension loses.
"""
