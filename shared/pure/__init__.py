"""Values and rules that need nothing of their surroundings."""
