# One image for all three services; the command chooses which: `gateway`, `translator serve` or `audit_sink`.
FROM python:3.11-slim-bookworm AS build
RUN python -m venv /opt/sluice
COPY requirements/runtime.txt /tmp/runtime.txt
RUN /opt/sluice/bin/pip install --no-cache-dir --require-hashes -r /tmp/runtime.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group sluice \
    && install --directory --owner sluice /var/lib/sluice
COPY --from=build /opt/sluice /opt/sluice
WORKDIR /opt/sluice/src
COPY elastic elastic
COPY audit_sink audit_sink
COPY translator translator
COPY gateway gateway
ENV PATH=/opt/sluice/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER sluice
ENTRYPOINT ["python", "-m"]
CMD ["gateway"]
