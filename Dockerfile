# compose.yaml names it by digest; by hand: --build-arg PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:...
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/build && python -m venv --without-pip /opt/venv
WORKDIR /src
COPY requirements-build.lock requirements.lock ./
RUN /opt/build/bin/pip install --require-hashes -r requirements-build.lock \
 && /opt/build/bin/pip --python /opt/venv/bin/python install --require-hashes -r requirements.lock
COPY . .
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/build/bin/pip --python /opt/venv/bin/python install --no-deps --no-index /dist/*.whl \
 && rm -r /opt/venv/lib/python*/site-packages/phonenumbers/geodata
# The names of places (40 MB) are read by no part of the program.

FROM ${PYTHON_IMAGE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --gid 0 --no-create-home --home-dir /var/lib/dialer --shell /usr/sbin/nologin dialer \
 && install --directory --owner 10001 --group 0 --mode 0770 /var/lib/dialer
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DIALER_HOME=/var/lib/dialer \
    DIALER_METRICS_PORT=9090
# Some platforms give each project a user id of its own, always in group 0: such a one may write the home too.
USER 10001:0
WORKDIR /var/lib/dialer
VOLUME /var/lib/dialer
# The embedded Redis is a child: tini passes the signal on and reaps what is left.
ENTRYPOINT ["/usr/bin/tini", "--"]
STOPSIGNAL SIGTERM
EXPOSE 8080 9090
# Asks /readyz at the port of the metrics; an orchestrator asks it itself.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-I", "-m", "jobs.health"]
CMD ["dialer", "worker"]
