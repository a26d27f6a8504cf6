"""Requests and answers between services: a class for each, of what the caller sends and reads."""
