"""The networks that tell who speaks, in PyTorch, with the parameter names of their authors."""
