"""What a connector must be: protocol, vocabulary, errors, conformance suite.

Knows no Django and no other folder of Heard, so that a connector can be written,
read and tested alone.
"""
