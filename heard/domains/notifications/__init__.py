"""What a member is told: by page, push, e-mail."""
