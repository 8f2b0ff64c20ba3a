"""Functions: code of this program that is called as AWS Lambda calls it."""
