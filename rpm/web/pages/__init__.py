"""The pages of the web app: HTML made on the server for people who are signed in.

Owns what is shown and the forms. Does not own any rule, query or action: pages use the same ones as
the API. How a page is written: ``rpm.web.pages.shell``; which there are: ``rpm.web.pages.listed``.
"""
