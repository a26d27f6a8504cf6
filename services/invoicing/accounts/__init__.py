"""Customers as buyers, our legal entities as sellers, contact persons, business calendars."""
