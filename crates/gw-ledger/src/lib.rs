//! Write-ahead journal and settlement records.
