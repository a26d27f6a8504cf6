"""Ways to the world: mail and print."""
