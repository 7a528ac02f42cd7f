"""What travels to a node: claims a run, starts its program, records how it ended. Python 3.8, standard library only."""
