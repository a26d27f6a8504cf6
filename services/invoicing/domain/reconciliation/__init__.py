"""The rules of a vendor's reconciliation file: how a line is read, and what a comparison comes to. Pure."""
