"""A study as one HTML file: reports, learning curves and run pages, with nothing to load from anywhere."""
