"""What the product does in how much time, measured."""
