# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
# The index that PyTorch comes from: its CPU build, or empty for PyPI's with CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python3 -m venv /opt/yin
ENV PATH=/opt/yin/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY constraints.txt pyproject.toml ./
RUN pip install -c constraints.txt ${TORCH_INDEX:+--index-url $TORCH_INDEX} torch
RUN python3 -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' >requirements.txt \
    && pip install -c constraints.txt -r requirements.txt "setuptools>=77"
COPY README.md LICENSE ./
COPY app app
COPY model model
RUN mkdir training && pip install --no-deps --no-build-isolation . \
    && pip uninstall -y -q setuptools pip \
    && find /opt/yin -name __pycache__ -prune -exec rm -rf {} + \
    && rm -rf /opt/yin/lib/python3*/site-packages/torch/include /opt/yin/lib/python3*/site-packages/torch/test

FROM python:3.11-slim-bookworm
COPY --from=build /opt/yin /opt/yin
ENV PATH=/opt/yin/bin:$PATH \
    YIN_HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
CMD ["yin", "serve"]
