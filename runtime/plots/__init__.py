"""Plots of reports: a clause and a view to the data of a figure; a figure to a file, or to the terminal."""
