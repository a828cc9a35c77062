"""The stream's messages as Google's protobuf knows them, made from our tables of names: the peer of our decoder."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from onshore.gate.fleet import tables

F = descriptor_pb2.FieldDescriptorProto
SMALL = {
    tables.LOCATION: ("LocationValue", ("latitude", "longitude"), F.TYPE_DOUBLE),
    tables.DOORS: ("Doors", tables.DOOR_NAMES, F.TYPE_BOOL),
    tables.TIRES: ("TireLocation", tables.TIRE_NAMES, F.TYPE_BOOL),
    tables.TIME: ("Time", tables.TIME_NAMES, F.TYPE_INT32),
}
PLAIN = {
    tables.STRING: F.TYPE_STRING,
    tables.INT: F.TYPE_INT32,
    tables.LONG: F.TYPE_INT64,
    tables.FLOAT: F.TYPE_FLOAT,
    tables.DOUBLE: F.TYPE_DOUBLE,
    tables.BOOLEAN: F.TYPE_BOOL,
    tables.INVALID: F.TYPE_BOOL,
}


def _file():
    file = descriptor_pb2.FileDescriptorProto(name="fleet.proto", package="t", syntax="proto3")

    def enum(name, prefix, names):
        made = file.enum_type.add(name=name)
        for number, one in enumerate(names):
            made.value.add(name=prefix + one, number=number)

    def message(name, *fields):
        made = file.message_type.add(name=name)
        for field, number, kind, of, repeated in fields:
            label = F.LABEL_REPEATED if repeated else F.LABEL_OPTIONAL
            made.field.add(name=field, number=number, type=kind, type_name=of and f".t.{of}", label=label)
        return made

    enum("Field", "", tables.FIELDS)
    enum("Audience", "A_", tables.AUDIENCES)
    enum("Event", "E_", tables.CONNECTIVITY)
    for kind, names in tables.ENUMS.items():
        enum(f"Enum{kind}", f"E{kind}_", names)
    for name, parts, kind in SMALL.values():
        message(name, *((part, number, kind, None, False) for number, part in enumerate(parts, 1)))
    value = message(
        "Value",
        *((tables.PLAIN[kind], kind, of, None, False) for kind, of in PLAIN.items()),
        *((tables.PLAIN[kind], kind, F.TYPE_MESSAGE, name, False) for kind, (name, _, _) in SMALL.items()),
        *((name, kind, F.TYPE_ENUM, f"Enum{kind}", False) for kind, name in tables.ENUM_FIELDS.items()),
    )
    value.oneof_decl.add(name="value")
    for field in value.field:
        field.oneof_index = 0
    when = ("created_at", 2, F.TYPE_MESSAGE, "Instant", False)
    message("Instant", ("seconds", 1, F.TYPE_INT64, None, False), ("nanos", 2, F.TYPE_INT32, None, False))
    message("Datum", ("key", 1, F.TYPE_ENUM, "Field", False), ("value", 2, F.TYPE_MESSAGE, "Value", False))
    vin = ("vin", 3, F.TYPE_STRING, None, False)
    message(
        "Payload", ("data", 1, F.TYPE_MESSAGE, "Datum", True), when, vin, ("is_resend", 4, F.TYPE_BOOL, None, False)
    )
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())
Payload = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("t.Payload"))
"""Parses a payload of topic `V`; raises google.protobuf.message.DecodeError where it cannot."""


def as_dict(payload):
    """A payload's data by their names: what one reads before columns can be made."""
    return {tables.FIELDS[one.key]: getattr(one.value, one.value.WhichOneof("value")) for one in payload.data}
