//! Extension chains against a model, in few units, and from hostile bytes.

mod allocation;
mod attributes;
mod hostile;
mod model;
mod store;
