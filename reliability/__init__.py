"""Trials of reliability, for developers: damaged inputs at every door, faults in the middle of work, load that lasts.

Everything is bounded in time and stays on this machine: ``python -m reliability --help``.
"""
