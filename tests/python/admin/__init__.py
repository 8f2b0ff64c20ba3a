"""The operator's verbs, the command line and the configuration file."""
