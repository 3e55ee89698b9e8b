# One image for every process; the command says which. Installs only what requirements.lock names, by hash.
ARG PYTHON=3.14

FROM python:${PYTHON}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/tocsin
WORKDIR /src
COPY requirements.lock ./
RUN /opt/tocsin/bin/pip install --require-hashes --only-binary :all: --no-deps -r requirements.lock
COPY . ./
RUN /opt/tocsin/bin/pip install --no-deps --no-build-isolation . \
    && /opt/tocsin/bin/python -m compileall -q /opt/tocsin/lib

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/tocsin --create-home tocsin
COPY --from=build /opt/tocsin /opt/tocsin
COPY config /etc/tocsin
ENV PATH=/opt/tocsin/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TOCSIN_CONFIG=/etc/tocsin \
    TOCSIN_DATA=/var/lib/tocsin
USER 10001
WORKDIR /var/lib/tocsin
VOLUME /var/lib/tocsin
EXPOSE 8080 8081
ENTRYPOINT ["tocsin"]
CMD ["--help"]
