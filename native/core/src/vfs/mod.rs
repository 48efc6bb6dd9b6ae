//! The file and directory operations a session serves.

pub mod api;

pub use api::*;
