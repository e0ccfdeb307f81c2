"""What anybody's transformation is, and whether it keeps the contracts: found out by asking it."""

from jaxdl.conformance.checking import Report as Report
from jaxdl.conformance.checking import check as check
from jaxdl.conformance.fingerprints import Fingerprint as Fingerprint
from jaxdl.conformance.fingerprints import fingerprint as fingerprint
