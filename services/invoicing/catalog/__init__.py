"""Plans with their versions and prices, tax rates, billing cycles."""
