# The server in a container: docker build -t trunkline . && docker run -p 4566:4566 trunkline
FROM python:3.13-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl ca-certificates build-essential \
    && rm -rf /var/lib/apt/lists/*
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV CARGO_HOME=/opt/cargo RUSTUP_HOME=/opt/rustup PATH=/opt/cargo/bin:$PATH
RUN curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs \
    | sh -s -- -y --profile minimal --default-toolchain 1.92.0
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim-bookworm
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl \
    && useradd --create-home --uid 10001 trunkline \
    && mkdir /data \
    && chown trunkline /data
USER 10001
VOLUME /data
EXPOSE 4566
# 0.0.0.0 inside of the container: the paths of the operator then need TRUNKLINE_ADMIN_TOKEN.
ENV TRUNKLINE_HOST=0.0.0.0 TRUNKLINE_DATA=/data TRUNKLINE_LOG_LEVEL=info
HEALTHCHECK --interval=5s --timeout=3s --start-period=2s CMD ["python", "-c", \
    "import urllib.request as u; u.urlopen('http://127.0.0.1:4566/_trunkline/health', timeout=2)"]
ENTRYPOINT ["trunkline", "serve"]
