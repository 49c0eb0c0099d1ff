"""The Sandbox network: a simulated public on a small server with a file of its own.

It knows nothing of Heard but the kit's counting; the connector speaks HTTP to it like to any other
network, so that a killed process, a lost answer and "what stands there" are real questions.
"""
