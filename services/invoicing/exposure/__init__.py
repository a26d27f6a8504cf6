"""What a customer owes us beside what we owe the vendor for it, also in one currency."""
