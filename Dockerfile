# The base is pinned by its tag; whoever deploys may pin a digest too: --build-arg BASE=python:3.11-slim@sha256:...
ARG BASE=python:3.11-slim
FROM ${BASE}

# PyTorch's index for its CPU builds; for CUDA name another one, such as https://download.pytorch.org/whl/cu126.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# PyAV's wheel carries x264 and x265, which are under the GPL. 0 makes an image without them: motions are GIFs then.
ARG VIDEO=1

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN useradd --create-home --uid 1000 --shell /usr/sbin/nologin studio
WORKDIR /app

COPY requirements.txt .
RUN pip install --no-cache-dir --index-url "${TORCH_INDEX}" "torch>=2.6" "torchvision>=0.21" \
    && pip install --no-cache-dir -r requirements.txt "prometheus-client>=0.21" "c2pa-python>=0.36" \
    && if [ "${VIDEO}" = 0 ]; then pip uninstall --yes av; fi

COPY . .
RUN python -m compileall -q app pise_core

# Root owns what runs; the process may write to two places alone, both of which a deployment mounts: temporary files of
# visitors, in memory, and the hub's optional weights.
ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_ANALYTICS_ENABLED=False \
    GRADIO_TEMP_DIR=/tmp/studio \
    HF_HOME=/home/studio/hub \
    MPLCONFIGDIR=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 1000:1000
VOLUME ["/tmp", "/home/studio"]
EXPOSE 7860

HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/healthz', timeout=4).close()"]
STOPSIGNAL SIGTERM
# No shell in between: the process gets the signal itself.
ENTRYPOINT ["python", "app.py"]
