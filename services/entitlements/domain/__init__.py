"""The rules of entitlements: holds, what is wanted of the vendor, what was seen there, what follows from it."""
