"""OpenAPI 3.0 and Swagger 2.0: REST APIs and HTTP APIs are read from them and written as them."""
