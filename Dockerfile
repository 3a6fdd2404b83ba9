FROM python:3.11-slim

# Another package index for PyTorch, that of its CPU builds for example, makes the image much smaller.
ARG TORCH_INDEX=

RUN useradd --create-home --uid 1000 studio
WORKDIR /home/studio/app

COPY requirements.txt .
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url ${TORCH_INDEX}} "torch>=2.6" "torchvision>=0.21" \
    && pip install --no-cache-dir -r requirements.txt

COPY --chown=studio:studio . .
USER studio

# Where Gradio keeps uploads, and the hub's optional weights: both inside the container's own home.
ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_ANALYTICS_ENABLED=False \
    PYTHONUNBUFFERED=1
EXPOSE 7860
CMD ["python", "app.py"]
