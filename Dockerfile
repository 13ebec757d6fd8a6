# Build: the locked dependencies and our own wheel in a virtual environment.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build
RUN python -m venv /opt/rpm-ledger
COPY requirements.lock ./
RUN /opt/rpm-ledger/bin/pip install --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY rpm ./rpm
COPY devices ./devices
COPY billing ./billing
RUN /opt/rpm-ledger/bin/pip install --no-deps .

# Run: no compiler, no sources, no root.
FROM python:3.11-slim
LABEL org.opencontainers.image.title="rpm-ledger" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 ledger \
    && useradd --system --uid 10001 --gid ledger --home-dir /data --shell /usr/sbin/nologin ledger \
    && install --directory --owner ledger --group ledger --mode 0700 /data
COPY --from=build /opt/rpm-ledger /opt/rpm-ledger
ENV PATH="/opt/rpm-ledger/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RPMLEDGER_HOST=0.0.0.0 \
    RPMLEDGER_BEHIND_TLS_PROXY=true \
    RPMLEDGER_PORT=8000
# A container is reached only through the ports that are published: publish them to a proxy that
# ends TLS, never to the world.
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["rpm-ledger", "serve"]
