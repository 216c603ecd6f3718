"""Networks that learn to tell visemes, in PyTorch."""
