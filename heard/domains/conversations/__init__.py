"""What was said: messages, conversations, threading."""
