"""One module per system that Waybill writes to, all behind ``base.Destination``."""
