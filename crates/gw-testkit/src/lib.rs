//! Tests only: dialect suite, fixture matrix, corpus reader, test gateway.
