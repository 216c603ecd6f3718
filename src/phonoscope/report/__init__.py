"""What people look at: the page of a store, and pictures of single artifacts."""
