"""The visit: services, staff, hours, calendar and booking."""
