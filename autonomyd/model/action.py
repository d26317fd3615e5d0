"""What a strategy of the embedding program answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HealingAction:
    """`success` says whether the act was carried out; whether it healed is observed on new samples."""

    description: str
    success: bool = True
