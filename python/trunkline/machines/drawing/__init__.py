"""Drawings of definitions: the states in layers, coloured by what an execution did."""
