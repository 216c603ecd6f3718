"""A store is a folder that people can read, and that says of every file in it how it was made."""
