//! Indaba.
