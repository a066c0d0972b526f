"""Layer 3: what users and programs talk to.

Each application is a module or package of its own, loaded when it is first used: most need packages that
the library itself does without.
"""

__all__: list[str] = []
