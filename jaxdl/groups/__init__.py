"""Parameter groups by path."""

from jaxdl.groups.grouping import Group as Group
from jaxdl.groups.grouping import grouped as grouped
from jaxdl.groups.table import preview as preview
