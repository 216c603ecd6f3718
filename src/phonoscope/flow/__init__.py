"""Steps, plans and where they run: nothing here knows what a face is."""
