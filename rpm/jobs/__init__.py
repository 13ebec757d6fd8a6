"""Scheduled work: what runs when, and each run by one process only.

Owns the claim of runs, the jobs and their schedule. Does not own what a job does to the record:
those are actions, and each may run twice harmlessly.
"""
