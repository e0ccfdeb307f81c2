"""``check``: does somebody's transformation keep the contracts, and is it the rule that it is meant to be?"""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import jax
import optax

from jaxdl import checks
from jaxdl.conformance.contracts import CONTRACTS, Broken, subject
from jaxdl.conformance.fingerprints import UNKNOWN, Fingerprint, fingerprint
from jaxdl.conformance.fitting import IDENTIFIED, distance
from jaxdl.conformance.probes import RATE, Answers, Factory, ask
from jaxdl.optimizers import FACTORIES

if TYPE_CHECKING:
    from rich.table import Table


class Finding(NamedTuple):
    """One line of a report: what was looked at, whether it holds, and a sentence."""

    name: str
    holds: bool
    said: str


@dataclass(frozen=True)
class Report:
    """What ``check`` found.

    Attributes:
      findings: One for each contract, and one for each comparison with what it is meant to be.
      fingerprint: What it was found to be; None where nothing was to be compared.
    """

    findings: tuple[Finding, ...]
    fingerprint: Fingerprint | None

    @property
    def passed(self) -> bool:
        """Whether everything holds."""
        return all(finding.holds for finding in self.findings)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What does not hold."""
        return tuple(finding for finding in self.findings if not finding.holds)

    def __str__(self) -> str:
        width = max(len(finding.name) for finding in self.findings)
        rows = [f"{'ok  ' if f.holds else 'FAIL'}  {f.name:<{width}}  {f.said}".rstrip() for f in self.findings]
        return "\n".join(rows if self.fingerprint is None else [*rows, "", str(self.fingerprint)])

    def __rich__(self) -> "Table":
        from rich.table import Table

        table = Table("", "check", "finding")
        for finding in self.findings:
            table.add_row("[green]ok[/]" if finding.holds else "[red]FAIL[/]", finding.name, finding.said)
        return table

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON holds it."""
        found = None if self.fingerprint is None else self.fingerprint.to_dict()
        return {"passed": self.passed, "findings": [f._asdict() for f in self.findings], "fingerprint": found}


Subject: TypeAlias = optax.GradientTransformation | Factory


def check(tx: Subject, like: str | Subject | None = None) -> Report:
    """Contract tests for anybody's transformation, and whether it is the rule that it is meant to be.

    Args:
      tx: A transformation, or ``factory(learning_rate)``, called with numbers and with schedules: only of a factory
        can be seen where its rate enters and whether it is the one given.
      like: The name of an optimizer of jaxdl: then the family and every convention must be those, its
        hyper-parameters may be others. Or a transformation or factory: then every step on every probe must be its.

    Returns:
      A report: ``print`` it, ``rich.print`` it, or take ``.passed`` and ``.to_dict()``.

    Raises:
      ValueError: an unknown name.
      TypeError: ``tx`` is neither, or the factory returns no transformation.

    >>> import jaxdl
    >>> print(check(jaxdl.sgd, like="sgd").passed)
    True
    """
    if not hasattr(tx, "update") and not callable(tx):
        raise TypeError(f"expected a transformation or a factory of its learning rate, got {tx!r}.")
    made = tx if hasattr(tx, "update") else tx(RATE)
    checks.transformation(made)
    findings = _contracts(made)
    if like is None:
        return Report(tuple(findings), None)
    found = fingerprint(tx)
    if isinstance(like, str):
        checks.known("optimizer", like, FACTORIES)
        findings += _compare(found, _expected(like), bare=hasattr(tx, "update"))
    else:
        findings.append(_follow(ask(tx), ask(like)))
    return Report(tuple(findings), found)


def _contracts(transform: optax.GradientTransformation) -> list[Finding]:
    found = []
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"), jax.enable_x64(False):
        for name, contract in CONTRACTS.items():
            try:
                found.append(Finding(name, True, contract(subject(transform)) or ""))
            except Broken as broken:
                found.append(Finding(name, False, str(broken)))
            except Exception as error:  # whatever somebody's code raises is the finding
                found.append(Finding(name, False, f"{type(error).__name__}: {error}".splitlines()[0]))
    return found


@functools.cache
def _expected(name: str) -> Fingerprint:
    """What our own optimizer of that name is found to be."""
    return fingerprint(FACTORIES[name])


def _compare(found: Fingerprint, expected: Fingerprint, bare: bool) -> list[Finding]:
    """The family, every convention, the rate and the decay, one line each."""
    rows = [("rule", found.name, expected.name)]
    topics = dict.fromkeys([*expected.conventions, *found.conventions])
    for topic in topics if found.family == expected.family else ():
        rows.append((topic, found.conventions.get(topic, "plain"), expected.conventions.get(topic, "plain")))
    if found.family != UNKNOWN:
        rows.append(("decay", found.decay, expected.decay))
        if not bare:
            rows += [("rate", found.rate, expected.rate), ("steps", _times(found.gain), _times(expected.gain))]
    findings = [Finding(topic, is_ == should, _said(is_, should)) for topic, is_, should in rows]
    if bare and found.family != UNKNOWN:
        findings.append(Finding("sign", found.gain > 0, "" if found.gain > 0 else "it moves along the gradient."))
    if found.decay_strength < 0:
        findings.append(Finding("decay's sign", False, "the decay makes parameters grow."))
    differs = "A number and a schedule that is constant at it give different steps."
    if differs in found.remarks:
        findings.append(Finding("number = constant schedule", False, differs))
    return findings


def _times(gain: float) -> str:
    return f"{gain:.6g} × the rate"


def _said(is_: str, should: str) -> str:
    return is_ if is_ == should else f"is {is_}, should be {should}"


def _follow(answers: Answers, expected: Answers) -> Finding:
    """Every step on every probe."""
    pairs = [(x, y) for x, y in zip(answers, expected, strict=True) if x is not None and y is not None]
    worst = max(distance(x, y) for x, y in pairs)
    said = f"steps differ by at most {worst:.1e} of the largest one of a probe."
    return Finding("steps", bool(worst <= IDENTIFIED), said)
