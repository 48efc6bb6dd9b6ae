//! The file and directory operations a session serves.

pub mod acl;
pub mod api;

pub use api::*;
