"""A building that speaks Tuya: devices with sockets, faults and a day, for demo and tests."""
