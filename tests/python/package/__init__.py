"""The package as its users meet it: names, errors, processes, the README and the examples."""
