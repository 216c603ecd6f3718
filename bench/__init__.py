"""What phonoscope costs and how exact it is, measured: `python -m bench`."""
