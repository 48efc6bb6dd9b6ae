//! The FUSE session.
