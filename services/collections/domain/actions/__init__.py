"""The kinds of action that a step of a policy can do, each a frozen class with its rules.

A kind has what `ActionKind` (in `policy_step`) asks of it; `registry` finds it by its name.
"""
