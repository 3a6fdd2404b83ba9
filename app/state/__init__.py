"""What a server holds: sessions, models, queues."""
