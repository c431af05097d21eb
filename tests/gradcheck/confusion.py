"""Which faults were given which codes."""

from collections import Counter, defaultdict


class Confusion:
    """Counts of codes, expected against given."""

    def __init__(self) -> None:
        self.table: dict[str, Counter] = defaultdict(Counter)

    def note(self, expected: str, report) -> None:
        self.table[expected][report.faults[0].code if report.faults else "right"] += 1

    @property
    def total(self) -> int:
        return sum(row.total() for row in self.table.values())

    @property
    def rejected(self) -> float:
        return 1 - sum(row["right"] for row in self.table.values()) / self.total

    @property
    def named(self) -> float:
        return sum(row[code] for code, row in self.table.items()) / self.total

    def __str__(self) -> str:
        lines = [
            f"{code:20} " + ", ".join(f"{given} {n}" for given, n in row.most_common())
            for code, row in sorted(self.table.items())
        ]
        share = f"{self.total} wrong rules, {self.rejected:.2%} rejected, {self.named:.2%} named"
        return "\n".join([*lines, share])
