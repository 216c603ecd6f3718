"""What tests and demonstrations are made of: drawn people, broken media, stand-ins."""
