ARG PYTHON_VERSION=3.12

FROM python:${PYTHON_VERSION}-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/build && python -m venv --without-pip /opt/venv
WORKDIR /src
COPY requirements-build.lock requirements.lock ./
RUN /opt/build/bin/pip install --require-hashes -r requirements-build.lock \
 && /opt/build/bin/pip --python /opt/venv/bin/python install --require-hashes -r requirements.lock
COPY . .
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/build/bin/pip --python /opt/venv/bin/python install --no-deps --no-index /dist/*.whl

FROM python:${PYTHON_VERSION}-slim-bookworm
RUN apt-get update \
 && apt-get install --yes --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 dialer \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/dialer --shell /usr/sbin/nologin dialer \
 && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/dialer
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DIALER_HOME=/var/lib/dialer
USER 10001:10001
WORKDIR /var/lib/dialer
VOLUME /var/lib/dialer
# The embedded Redis is a child: tini passes the signal on and reaps what is left.
ENTRYPOINT ["/usr/bin/tini", "--"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["dialer", "worker", "--check"]
CMD ["dialer", "worker"]
