"""Active speaker detection: who speaks, from faces and sound."""
