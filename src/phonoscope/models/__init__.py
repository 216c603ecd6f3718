"""Networks behind one-method protocols, and where their weights come from."""
