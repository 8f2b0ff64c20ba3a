"""The SQL of applications: from Kinesis Analytics' dialect to pumps that DuckDB evaluates."""
