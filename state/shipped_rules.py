"""The rules as this release ships them: what a store that has none yet takes without anybody's word.

Belongs here: one version for each gate, which a test holds against the files. What a store makes of them is ``rulesets``. They stand
in the code and not in a policy file, so that whoever edits a policy does not approve it by that.
"""

from __future__ import annotations

from typing import Final, Literal

Gate = Literal["flows", "credit_notes"]

SHIPPED: Final[dict[Gate, str]] = {
    "flows": "d8ca7c41e74a20ac0ffeabb8781aee33a4e4aa282f7c4744f4ca235d7a40cb77",
    "credit_notes": "233b259122b439a64dfc11b1df065bc43f21a463e5b304e29734e676a9705d90",
}
"""Gate → version: ``quality.rules.ruleset_version(load_policy())`` and ``state.credit_gate.ruleset_version()``."""
