"""Transport: files to a clearinghouse and from it.

Owns places that take and give files (a drop folder, SFTP) and what is known of clearinghouses.
Does not own what is in a file (``billing.claims.x12``) nor what is recorded of a sending
(``rpm.actions``). Never more than a file in, a file out.
"""
