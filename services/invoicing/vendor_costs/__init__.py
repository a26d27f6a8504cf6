"""What the vendor bills us, line by line beside what we expected; differences, and what is decided about them."""
