"""What a user can do, one function for each action, headless: neither the page nor the endpoints are known here.

A function takes a session and values that were parsed by whoever calls it, and returns an
:class:`app.commands.outcome.Outcome`; what takes long is a generator that tells its progress and returns one.
"""
