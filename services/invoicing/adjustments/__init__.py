"""What is given to a customer."""
