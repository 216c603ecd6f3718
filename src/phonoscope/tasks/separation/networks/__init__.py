"""The networks that tell voices apart, in PyTorch."""
