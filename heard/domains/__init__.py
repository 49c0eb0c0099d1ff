"""What Heard does: one room per domain, in floors (see ARCHITECTURE.md)."""
