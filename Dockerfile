# One image for everything: engine, workers, hub, and the nats-server of a cluster (the version that the tests run with).
# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY engine engine
COPY workers workers
COPY workflows workflows
# `xllama` runs the model that comes with Skerry, `security` makes certificates.
RUN python -m venv /opt/skerry \
 && /opt/skerry/bin/pip install --no-cache-dir --constraint requirements.lock ".[security,xllama]"

FROM python:3.11-slim-bookworm
# libgomp1: what runs models computes on several cores.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin skerry \
 && install --directory --owner skerry --group skerry --mode 0700 /data /hub /nats /edge1 /edge2
COPY --from=build /opt/skerry /opt/skerry
ENV PATH=/opt/skerry/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SKERRY_DATA=/data
USER 10001:10001
WORKDIR /data
STOPSIGNAL SIGTERM
CMD ["skerry", "up"]
