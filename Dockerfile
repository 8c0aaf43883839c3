# One image for all services; the command chooses which: `gateway`, `translator serve`, `audit_sink` or `lake`. Without the
# embedded servers, tests or documentation, and without pip: nothing can be installed into a running container.

# docker buildx imagetools inspect python:3.11.14-slim-bookworm prints the digest that a release pins behind the tag.
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS build
RUN python -m venv --without-pip /opt/sluice
COPY requirements/runtime.txt /tmp/runtime.txt
# The lock is the complete list, of wheels alone: nothing else is looked for, and nothing is compiled.
RUN pip --python /opt/sluice/bin/python install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /tmp/runtime.txt \
    && pip --python /opt/sluice/bin/python check
WORKDIR /opt/sluice/src
COPY kit kit
COPY contracts contracts
COPY elastic elastic
COPY indexing indexing
COPY audit_sink audit_sink
COPY inventory_index inventory_index
COPY translator translator
COPY gateway gateway
COPY lake lake
COPY deploy/first_start deploy/first_start
# The file system is read-only where it runs.
RUN /opt/sluice/bin/python -m compileall -q .

FROM ${BASE}
ARG VERSION=unreleased
LABEL org.opencontainers.image.title="Sluice" \
      org.opencontainers.image.description="A search gateway for asset inventories with an audit trail" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
RUN rm -rf /usr/local/bin/pip* /usr/local/bin/idle* /usr/local/lib/python3.11/site-packages/* \
      /usr/local/lib/python3.11/ensurepip /usr/local/lib/python3.11/idlelib \
    && groupadd --system --gid 10001 sluice \
    && useradd --system --uid 10001 --gid sluice --no-create-home --shell /usr/sbin/nologin sluice \
    && install --directory --mode 0700 --owner sluice --group sluice /var/lib/sluice
COPY --from=build /opt/sluice /opt/sluice
WORKDIR /opt/sluice/src
ENV PATH=/opt/sluice/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEALTH_URL=http://127.0.0.1:8000/healthz
USER 10001:10001
# HEALTH_URL is the address of the one of three services that runs; Python's own library asks it. Loading the whole service
# for each check would cost more. /healthz and not /readyz: a service whose dependency is down must not be restarted.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
    CMD ["sh", "-c", "exec python -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=3)' \"$HEALTH_URL\""]
ENTRYPOINT ["python", "-m"]
CMD ["gateway"]
