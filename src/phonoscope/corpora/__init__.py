"""Where films come from: one file a corpus, lists in, sources out."""
