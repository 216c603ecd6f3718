"""What leaves a store: selections of clips, and the layouts that trainers read."""
