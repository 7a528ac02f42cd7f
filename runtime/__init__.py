"""Build folder to runs to tables: the shim, the executor, the schedulers, the store, queries and reports."""
