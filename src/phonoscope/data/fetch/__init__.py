"""Films fetched from the web, politely, each with its sound, whole or as the pieces that a list asks for."""
