//! Language-model vendors, one file each. Knows no SQL, no tenant and no HTTP server.
