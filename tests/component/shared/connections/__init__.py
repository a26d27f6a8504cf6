"""Connections of the services to their surroundings, with TLS and logins tried for real."""
