"""The environment variables of LocalStack: honoured, or named in a warning.

A compose file that starts LocalStack shall start this server; what it asks for and does not get is
said at the start.
"""

from __future__ import annotations

from trunkline.aws.services import SERVICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SERVED = tuple(service.name for service in SERVICES)

_LEVELS = {
    "trace": "debug",
    "trace-internal": "debug",
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
}
_IGNORED = {
    "PERSISTENCE": "give a folder with --data",
    "SNAPSHOT_SAVE_STRATEGY": "with --data everything is durable at once",
    "SNAPSHOT_LOAD_STRATEGY": "with --data everything is there at the start",
    "LAMBDA_EXECUTOR": "name functions with --functions, or allow archives with --allow-code",
    "LAMBDA_DOCKER_NETWORK": "functions run in processes, not in containers",
    "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "functions run in processes, not in containers",
    "DOCKER_HOST": "no containers are started",
    "DOCKER_FLAGS": "no containers are started",
    "LOCALSTACK_AUTH_TOKEN": "there is no paid edition",
    "LOCALSTACK_API_KEY": "there is no paid edition",
    "USE_SSL": "use --tls",
    "HOSTNAME_EXTERNAL": "use --allowed-host",
    "SQS_ENDPOINT_STRATEGY": "addresses of queues repeat the host of the request",
    "SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL": "figures are at /metrics",
    "KINESIS_LATENCY": "use faults",
    "KINESIS_ERROR_PROBABILITY": "use faults",
    "PROVIDER_OVERRIDE_EVENTS": "there is one provider",
    "EAGER_SERVICE_LOADING": "a service is loaded at its first request, in milliseconds",
}
_IS_ON = ("1", "true")


def translate(
    environment: Mapping[str, str],
) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Our options with the variable and the text of each, and what to warn of.

    >>> translate({"GATEWAY_LISTEN": "0.0.0.0:4510", "PERSISTENCE": "1"})[0]["port"]
    ('GATEWAY_LISTEN', '4510')
    """
    found: dict[str, tuple[str, str]] = {}
    warnings = []
    for name, option in (("EDGE_PORT", "port"), ("DATA_DIR", "data")):
        if environment.get(name):
            found[option] = (name, environment[name])
    named = [one.strip() for one in environment.get("SERVICES", "").split(",") if one.strip()]
    known = [one for one in named if one in SERVED]
    if known:
        found["services"] = ("SERVICES", ",".join(known))
    if named != known:
        missing = ", ".join(one for one in named if one not in known)
        warnings.append(
            f"SERVICES names what is not served: {missing}; served: {', '.join(SERVED)}"
        )
    listen = environment.get("GATEWAY_LISTEN", "").split(",")[0]
    if listen:
        host, _, port = listen.rpartition(":")
        if port.isdigit():
            found["port"] = ("GATEWAY_LISTEN", port)
        else:
            host = listen
        if host:
            found["host"] = ("GATEWAY_LISTEN", host.strip("[]"))
    if environment.get("DEBUG", "").lower() in _IS_ON:
        found["log_level"] = ("DEBUG", "debug")
    if environment.get("LS_LOG", "").lower() in _LEVELS:
        found["log_level"] = ("LS_LOG", _LEVELS[environment["LS_LOG"].lower()])
    host = environment.get("LOCALSTACK_HOST", "").split(":")[0]
    if host:
        found["allowed_host"] = ("LOCALSTACK_HOST", host)
    if environment.get("EXTRA_CORS_ALLOWED_ORIGINS"):
        given = environment["EXTRA_CORS_ALLOWED_ORIGINS"]
        found["cors_origin"] = ("EXTRA_CORS_ALLOWED_ORIGINS", given)
    for name in ("SQS_DELAY_PURGE_RETRY", "SQS_DELAY_RECENTLY_DELETED"):
        if environment.get(name, "").lower() in _IS_ON:
            found["limits"] = (name, "aws")
    for name, remedy in _IGNORED.items():
        if environment.get(name) and not (name == "PERSISTENCE" and "data" in found):
            warnings.append(f"{name} of LocalStack is not honoured: {remedy}")
    return found, warnings
