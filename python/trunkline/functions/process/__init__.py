"""Functions whose code comes in an archive: processes that speak the Lambda runtime API."""
