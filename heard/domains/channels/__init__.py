"""Connected accounts: credentials, deliveries, cursors, health."""
