"""Files of lines that are sent to us: layouts, columns, values, and what is broken by line and column."""
