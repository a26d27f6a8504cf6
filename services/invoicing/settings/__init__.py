"""Changes of settings that move money: proposed, and decided by a second person where the legal entity asks for one."""
