"""The dock widget "Audit model": measure any network, and see what tilers make of it."""
