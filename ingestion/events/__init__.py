"""What partners send by themselves, read from the inbox as a source.

Belongs here: what each kind of message means in rows of the contracts. How a row is checked, landed and loaded is the
same as for what is read.
"""
