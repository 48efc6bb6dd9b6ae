//! Directories against a model, against faults and against hostile bytes.

mod collisions;
mod faults;
mod hostile;
mod iteration;
mod model;
mod rebuilding;
mod scale;
mod support;
