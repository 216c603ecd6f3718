"""The steps: one file, one artifact. They do not call each other; they meet in the store."""
