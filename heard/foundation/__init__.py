"""What every room stands on: work, clock, tenancy, cryptography, net, errors."""
