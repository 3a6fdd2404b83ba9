"""Start the studio: ``python app.py [--host HOST] [--port PORT] [--weights FOLDER] [--also NAME=PATH]
[--device DEVICE] [--mcp]``. Imported, it offers ``demo``, as a Hugging Face Space expects."""

if __name__ == "__main__":
    from app.main import main

    main()
else:
    from app import demo  # noqa: F401
