//! Sans-IO bytes: JSON index and writer, splices, SSE and JSON-array framers.
