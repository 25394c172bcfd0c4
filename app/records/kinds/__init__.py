"""The program's own kinds, one declaration each. Importing this package declares them all."""

from app.records.kinds.asset import Asset
from app.records.kinds.binding import Binding
from app.records.kinds.device import Device
from app.records.kinds.person import Person
from app.records.kinds.place import Place
from app.records.kinds.remark import Remark
from app.records.kinds.site import Site
from app.records.kinds.tag import Tag

__all__ = ["Asset", "Binding", "Device", "Person", "Place", "Remark", "Site", "Tag"]
