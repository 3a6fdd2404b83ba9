"""What a user can do, one function per action; nothing here knows Gradio."""
