"""Compares a replay's report with the figures that were worked out independently for that ledger and policy."""

import json
import sys
from pathlib import Path

SAME_FOR_BOTH = {
    "accounts": 50,
    "invoices": 1_242,
    "invoiced_minor": 7_353_697,
    "payments": 1_242,
    "disputes_opened": 250,
    "disputes_rejected": 250,
    "invoices_overdue": 272,
    "cases_opened": 233,
    "cases_closed": 233,
    "step_reminder_1": 246,
    "terminations": 0,
    "access_mismatches": 0,
    "parked": 0,
    "sequence_gaps": 0,
    "open_minor": 0,
}
EXPECTED = {
    "standard": SAME_FOR_BOTH
    | {
        "step_upcoming": 371,
        "step_reminder_2": 118,
        "step_final_notice": 32,
        "notice_messages": 747,
        "suspensions": 7,
        "reinstatements": 7,
    },
    "strict": SAME_FOR_BOTH
    | {
        "step_upcoming": 449,
        "step_reminder_2": 0,
        "step_final_notice": 205,
        "notice_messages": 881,
        "suspensions": 71,
        "reinstatements": 71,
    },
}


def differences(policy: str, report: dict[str, object]) -> list[str]:
    """One line for each figure that is not as expected, or missing."""
    return [
        f"{name}: expected {expected}, reported {report.get(name, 'nothing')}"
        for name, expected in EXPECTED[policy].items()
        if report.get(name) != expected
    ]


def main(policy: str, report_file: str) -> int:
    """Print every figure; 1 if one differs, else 0."""
    report = json.loads(Path(report_file).read_text())
    for name, expected in EXPECTED[policy].items():
        sys.stdout.write(f"{name:20} {report.get(name, '-')!s:>10} {expected:>10}\n")
    wrong = differences(policy, report)
    for line in wrong:
        sys.stderr.write(f"{policy}: {line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
