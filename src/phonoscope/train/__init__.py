"""One trainer for all tasks."""
