"""The command ``waybill``: one module per noun. Results go to stdout, narration to stderr."""
