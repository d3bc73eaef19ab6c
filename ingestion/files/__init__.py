"""Other people's extracts: CSV, JSON lines and Parquet files as a source of any kind, mapped by YAML alone.

Flow: ``storage`` finds and opens files → ``readers`` gives rows of cells → ``rows`` and ``values`` make
contract fields of them as ``mapping`` declares → ``extract`` puts it together → ``adapter`` hands it to
ingestion. Example: connections/examples/olist; the language: docs/adding-a-source.md. Alone:
``WAYBILL_CONNECTIONS=connections/examples/olist OLIST_DIR=<folder> waybill run``.
"""
