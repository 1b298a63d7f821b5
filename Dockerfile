# docker build .                            the service
# docker build --target train .             training
# docker build --build-arg TORCH_INDEX= .   with PyPI's PyTorch, for CUDA
# What a code change touches comes last, so that it rebuilds two small layers rather than PyTorch's.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS dependencies
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# The environment never holds pip: the base image's pip installs into it. The bytecode that pip makes is kept:
# it cannot be written at run time, and a start without it takes several times as long.
RUN python3 -m venv --without-pip /opt/yin
COPY requirements.txt ./
RUN pip --python /opt/yin/bin/python3 install --require-hashes --no-deps -r requirements.txt
COPY constraints.txt ./
RUN pip --python /opt/yin/bin/python3 install -c constraints.txt ${TORCH_INDEX:+--index-url $TORCH_INDEX} torch \
    && cd /opt/yin/lib/python3*/site-packages/torch \
    && rm -rf include test \
    && find bin -type f ! -name torch_shm_manager -delete

FROM dependencies AS package
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY model model
RUN pip --python /opt/yin/bin/python3 wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels . \
    && pip --python /opt/yin/bin/python3 install --no-deps --root /package wheels/*.whl

FROM dependencies AS environment
RUN pip --python /opt/yin/bin/python3 uninstall --yes --quiet setuptools

FROM ${BASE} AS serve
# Removes the base's own build tools (pip refuses, harmlessly, where they are the distribution's),
# and the set-user-id bits: no program here may give its caller root's rights.
RUN python3 -m pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
    && find / -xdev -type f -perm /6000 -exec chmod ug-s {} + \
    && install -d -o 10001 -g 10001 /data
COPY --from=environment /opt/yin /opt/yin
COPY --from=package /package /
ENV PATH=/opt/yin/bin:$PATH \
    YIN_HOST=0.0.0.0 \
    OPENBLAS_NUM_THREADS=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Not urllib: it would use a proxy that the environment names.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python3", "-IS", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('YIN_PORT', 8000)), timeout=2); c.request('GET', '/health/live'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["yin", "serve"]

FROM dependencies AS train
RUN pip --python /opt/yin/bin/python3 install -c constraints.txt matplotlib \
    && install -d -o 10001 -g 10001 /data
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY model model
COPY training training
RUN pip --python /opt/yin/bin/python3 install --no-deps --no-build-isolation . \
    && pip --python /opt/yin/bin/python3 uninstall --yes --quiet setuptools \
    && rm -rf /src/*
ENV PATH=/opt/yin/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
CMD ["python3", "-m", "training.train"]

FROM serve
