"""Tasks: what can be learnt from a store, and how well it has been learnt. Tasks do not know of each other."""
