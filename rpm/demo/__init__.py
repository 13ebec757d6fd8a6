"""The demo: a synthetic practice whose story is played through the real doors of the service.

Owns people, story and the playing of it on a database with its own clock. Does not own any of what
it shows: deliveries, entries and corrections go over HTTP like everybody's, and months are closed
and exported by the same actions as always. Every person in it is invented.
"""
