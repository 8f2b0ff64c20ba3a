"""The data path of APIs: a request over HTTP reaches the API that its address names.

An API is addressed in three ways: ``/_aws/execute-api/{api}/{stage}/...``, the paths of LocalStack
(``/restapis/{api}/{stage}/_user_request_/...``), and hosts (``{api}.execute-api.localhost:4566``).
`kinds` tells how a kind of API (REST, HTTP, WebSocket) takes part.
"""
